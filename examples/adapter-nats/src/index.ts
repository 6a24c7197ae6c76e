import type { NatsConnection } from '@nats-io/transport-node'
import { type Backend, defineBackend, untilAborted } from '@p2pl/core/backend'
import { openPins, openTables, type StoredBlocks } from '@p2pl/embedded'
import { blockHooks } from './blocks.ts'
import { Bucket } from './bucket.ts'
import { capabilitiesOf } from './capabilities.ts'
import { Connection } from './connection.ts'
import { classifier } from './errors.ts'
import { Exchange } from './exchange.ts'
import { idIn, secretStore } from './identity.ts'
import { messageHooks } from './messages.ts'
import { type Options, settingsOf } from './options.ts'
import { Subjects } from './subjects.ts'

export type { Options } from './options.ts'

/** The words of an app's placement that this adapter takes as options. The configuration of any p2pl app hands them over. */
export const placement: readonly string[] = ['dir']

/** How long the end of a peer without a folder may take to clear the server. */
const clearMs = 5_000

/** Messages and content over a NATS server. By the name `backend`, the configuration of any p2pl app finds it. */
export function backend(options?: Options): Backend {
  const settings = settingsOf(options)
  const { content, dir, network } = settings
  return defineBackend<NatsConnection>({
    name: 'nats',
    network: `nats-${network}`,
    capabilities: capabilitiesOf(settings),
    classify: classifier(settings),

    open: async (life) => {
      const closing: (() => Promise<unknown>)[] = []
      const close = async (): Promise<void> => {
        for (const end of closing.reverse()) await end()
      }
      try {
        const names = { pins: 'p', state: 's' }
        const opened = await openTables({ backend: 'nats', dir, durability: 'process', names, report: life.report })
        closing.push(async () => await opened.close())
        const { pins, state } = opened.tables
        const id = await idIn(state)
        const subjects = new Subjects(network)
        const connection = await Connection.open(settings, life)
        closing.push(async () => await connection.close())
        await connection.claim(subjects.peer(id), life.signal)
        const { nc } = connection
        const blocks = async (): Promise<StoredBlocks> => {
          const open = async (): Promise<Bucket> => await Bucket.open(connection, settings, subjects, id)
          const bucket = await connection.call(open, life.signal)
          if (dir === undefined)
            closing.push(
              async () => await untilAborted(bucket.destroy(), AbortSignal.timeout(clearMs)).catch(() => undefined)
            )
          const exchange = new Exchange({ connection, manager: bucket.manager, subjects, network, id })
          return blockHooks(bucket, exchange, await openPins(pins))
        }
        return {
          self: () => ({ id, addresses: [] }),
          messages: messageHooks(connection, subjects, id),
          blocks: content ? await blocks() : undefined,
          get capabilities() {
            return capabilitiesOf(settings, nc.info?.max_payload)
          },
          secrets: dir === undefined ? undefined : secretStore(state),
          engine: nc,
          close
        }
      } catch (error) {
        // A failed start leaves nothing behind.
        await close()
        throw error
      }
    }
  })
}

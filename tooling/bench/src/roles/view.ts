import { randomBytes } from 'node:crypto'
import { createIdentity, createPeer, type Identity, type PeerAddress } from '@p2pl/core'
import { compose, countingSink, metrics } from '@p2pl/layers'
import { openView, type View } from '@p2pl/sync'
import type { Role } from '../harness/child.ts'
import { type BackendName, openBackend } from '../stacks/backends.ts'
import type { LogNode } from './log.ts'
import { inParallel, timed } from './timing.ts'

/** A peer with a view in a folder. Times are milliseconds. */
export interface ViewNode extends LogNode {
  /** Opens the view and waits until it has this many entries. `fetches`: how many blocks it fetched from others. */
  catchUp(count: number): Promise<{ time: number; wait: number; fetches: number }>
  /** Closes the view. Its folder stays. */
  close(): Promise<void>
}

export interface ViewOptions {
  readonly backend: BackendName
  readonly folder: string
}

const patience = 240_000

const viewNode: Role<ViewOptions, ViewNode> = async ({ backend, folder }) => {
  const calls = countingSink()
  const engine = await openBackend({ backend, folder: `${folder}-engine` })
  const peer = await createPeer({ backend: compose(engine, metrics(calls)) })
  let onEntry: () => void = () => undefined
  const open = (): Promise<View> =>
    openView({
      peer,
      topic: 'bench',
      store: folder,
      onEvent: (event) => {
        if (event.type === 'entry') onEntry()
      }
    })
  let opened: Promise<View> | undefined
  const view = (): Promise<View> => (opened ??= open())
  const fetches = (): number => calls.totals().operations['blocks.get']?.calls ?? 0

  return {
    self: async () => peer.network.self(),
    connect: (to) => peer.network.connect(to as PeerAddress),
    append: async (count, payloadBytes, atOnce, authors = 1) => {
      const at = await view()
      const payloads = Array.from({ length: count }, () => new Uint8Array(randomBytes(payloadBytes)))
      const others: Identity[] = []
      if (authors > 1) for (let i = 0; i < authors; i++) others.push(await createIdentity())
      const append = ([i, payload]: [number, Uint8Array]): Promise<unknown> => {
        const identity = others[i % authors]
        return at.append(payload, identity === undefined ? {} : { identity })
      }
      return { time: await timed(() => inParallel(payloads.entries(), atOnce, append)) }
    },
    catchUp: async (count) => {
      const [begin, before] = [performance.now(), fetches()]
      let first = 0
      let check: () => void = () => undefined
      onEntry = () => {
        first ||= performance.now()
        check()
      }
      const at = await view()
      await new Promise<void>((resolve, reject) => {
        const timer = setTimeout(
          () => reject(new Error(`${at.count} of ${count} entries came within ${patience} ms`)),
          patience
        )
        check = () => {
          if (at.count < count) return
          clearTimeout(timer)
          resolve()
        }
        check()
      })
      return { time: performance.now() - begin, wait: first - begin, fetches: fetches() - before }
    },
    close: async () => {
      const at = await opened
      opened = undefined
      await at?.stop()
    }
  }
}

export default viewNode

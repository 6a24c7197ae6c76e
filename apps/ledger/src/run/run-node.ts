import { errorMessage } from '@p2pl/core/backend'
import { type Api, startApi } from '../http/server.ts'
import { createLog, errorFields, type Log } from '../log.ts'
import { removeApiFile, writeApiFile, writeStarting } from '../node/api-file.ts'
import type { Home } from '../node/home.ts'
import type { LedgerNode } from '../node/ledger-node.ts'
import { Activity } from './activity.ts'
import { openNode, type OpenOptions } from './open-node.ts'

export interface RunOptions extends Omit<OpenOptions, 'activity'> {
  /** The port of the HTTP API. Default 0, which picks a free one. */
  readonly port?: number | undefined
  /** Default: errors and warnings as text on stderr. */
  readonly log?: Log | undefined
  /** Whether to log each call of a backend, as `debug`. */
  readonly logCalls?: boolean | undefined
}

export interface RunningNode {
  readonly node: LedgerNode
  readonly api: Api
  stop(): Promise<void>
}

/** Runs a node with its HTTP API, and writes a file into its folder that tells the command line how to reach it. */
export async function runNode(home: Home, options: RunOptions = {}): Promise<RunningNode> {
  const log = options.log ?? createLog({ level: 'warn', json: false })
  const activity = new Activity(log, { calls: options.logCalls })
  const isFirst = await writeStarting(home.apiPath)
  let node: LedgerNode | undefined
  try {
    const opened = await openNode(home, { ...options, activity })
    node = opened
    const api = await startApi({
      service: opened,
      port: options.port,
      activity,
      onError: (error) => {
        log('error', errorMessage(error), errorFields(error))
      }
    })
    await writeApiFile(home.apiPath, { url: api.url, token: api.token, pid: process.pid })
    return {
      node: opened,
      api,
      stop: async () => {
        await removeApiFile(home.apiPath)
        await api.close()
        await opened.stop()
      }
    }
  } catch (error) {
    if (isFirst) await removeApiFile(home.apiPath)
    await node?.stop()
    throw error
  }
}

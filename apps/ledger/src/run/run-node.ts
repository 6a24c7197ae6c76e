import { type Api, startApi } from '../http/server.ts'
import { createLog, errorFields, type Log } from '../log.ts'
import { removeApiFile, writeApiFile } from '../node/api-file.ts'
import type { Home } from '../node/home.ts'
import type { LedgerNode } from '../node/ledger-node.ts'
import { Activity } from './activity.ts'
import { openNode, type OpenOptions } from './open-node.ts'

export interface RunOptions extends Omit<OpenOptions, 'activity'> {
  /** Of the HTTP API. Default 0: any free one. */
  readonly port?: number | undefined
  /** Default: errors and warnings as text on stderr. */
  readonly log?: Log | undefined
}

export interface RunningNode {
  readonly node: LedgerNode
  readonly api: Api
  stop(): Promise<void>
}

/** A node with its HTTP API, and a file in its folder that tells the command line how to reach it. */
export async function runNode(home: Home, options: RunOptions = {}): Promise<RunningNode> {
  const log = options.log ?? createLog({ level: 'warn', json: false })
  const activity = new Activity(log)
  const node = await openNode(home, { ...options, activity })
  try {
    const api = await startApi({
      service: node,
      port: options.port,
      activity,
      onError: (error) => {
        log('error', error instanceof Error ? error.message : String(error), errorFields(error))
      }
    })
    await writeApiFile(home.apiPath, { url: api.url, token: api.token, pid: process.pid })
    return {
      node,
      api,
      stop: async () => {
        await removeApiFile(home.apiPath)
        await api.close()
        await node.stop()
      }
    }
  } catch (error) {
    await node.stop()
    throw error
  }
}

import { createPeer } from '@p2pl/core'
import { type Api, startApi } from '../http/server.ts'
import { removeApiFile, writeApiFile } from './api-file.ts'
import { type BackendOptions, chooseBackend } from './backend.ts'
import type { KeeperOptions } from './document-keeper.ts'
import type { Home } from './home.ts'
import { LedgerNode } from './ledger-node.ts'

export interface OpenOptions extends BackendOptions {
  /** Mean time between beacons in ms. Default: sync's. */
  readonly beaconPeriod?: number | undefined
  readonly documents?: KeeperOptions | undefined
}

/** A node of the ledger in this folder, on the network that its configuration names. */
export async function openNode(home: Home, options: OpenOptions = {}): Promise<LedgerNode> {
  const { name, backends } = await chooseBackend(home, options)
  const peer = await createPeer({ ...backends, identity: home.identity })
  try {
    return await LedgerNode.open({
      home,
      peer,
      backend: name,
      beaconPeriod: options.beaconPeriod,
      documents: options.documents
    })
  } catch (error) {
    await peer.stop()
    throw error
  }
}

/**
 * The node of a folder for one command that needs no network: nothing is sent or fetched, and starting costs next to
 * nothing. What it writes spreads when the node runs the next time.
 */
export async function openOffline(home: Home): Promise<LedgerNode> {
  return await openNode(home, { backend: 'memory', env: {}, documents: { maxBytes: 0 } })
}

export interface RunOptions extends OpenOptions {
  /** Of the HTTP API. Default 0: any free one. */
  readonly port?: number | undefined
  readonly onError?: ((error: unknown) => void) | undefined
}

export interface RunningNode {
  readonly node: LedgerNode
  readonly api: Api
  stop(): Promise<void>
}

/** A node with its HTTP API, and a file in its folder that tells the command line how to reach it. */
export async function runNode(home: Home, options: RunOptions = {}): Promise<RunningNode> {
  const node = await openNode(home, options)
  try {
    const api = await startApi({ service: node, port: options.port, onError: options.onError })
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

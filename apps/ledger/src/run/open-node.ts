import { legsOf } from '@p2pl/config'
import { createPeer } from '@p2pl/core'
import { type BackendOptions, chooseBackend, withLayers } from '../node/backend.ts'
import type { KeeperOptions } from '../node/document-keeper.ts'
import type { Home } from '../node/home.ts'
import { LedgerNode } from '../node/ledger-node.ts'
import type { Activity } from './activity.ts'
import { openTracer } from './tracer.ts'

export interface OpenOptions extends BackendOptions {
  /** Mean time between beacons in ms. Default: that of sync. */
  readonly beaconPeriod?: number | undefined
  readonly documents?: KeeperOptions | undefined
  /** Receives the reports of backends and sync. */
  readonly activity?: Activity | undefined
  /** Makes spans with the OpenTelemetry SDK that the process has registered. */
  readonly trace?: boolean | undefined
  /** Ends opening with `ABORTED`; no effect once the node is open. */
  readonly signal?: AbortSignal | undefined
}

/** A node of the ledger in this folder, on the network in its configuration. */
export async function openNode(home: Home, options: OpenOptions = {}): Promise<LedgerNode> {
  const { activity, beaconPeriod, documents, signal, onWarning } = options
  const { name, backends } = await chooseBackend(home, options)
  let node: LedgerNode | undefined
  const tracer = options.trace === true ? await openTracer(onWarning) : undefined
  const layers = [...(tracer === undefined ? [] : [tracer.layer]), ...(activity?.layers ?? [])]
  const opened = await createPeer({
    ...withLayers(backends, layers),
    identity: home.identity,
    signal,
    onEvent: (event) => {
      activity?.onBackendEvent(event)
      if (event.type === 'peer:connect') node?.peerConnected()
    }
  })
  const peer = tracer?.around(opened) ?? opened
  try {
    node = await LedgerNode.open({
      home,
      peer,
      backend: name,
      legs: legsOf(backends),
      beaconPeriod,
      documents,
      onTrouble: (event) => activity?.onTrouble(event)
    })
    return node
  } catch (error) {
    await peer.stop()
    throw error
  }
}

/**
 * Opens the node of a folder for one command that needs no network. Nothing is sent or fetched, and starting is cheap.
 * Entries that it writes spread the next time that the node runs.
 */
export async function openOffline(home: Home): Promise<LedgerNode> {
  // Nothing is stored in this backend.
  const onWarning = (): void => undefined
  return await openNode(home, { backend: 'memory', env: {}, file: false, documents: { maxBytes: 0 }, onWarning })
}

import type { IncomingMessage } from '@p2pl/core/backend'
import type { CID } from 'multiformats/cid'
import type { Endpoint } from './endpoint.ts'
import { createMeter } from './traffic.ts'
import type { Meter } from './traffic.ts'

/** How a host lies. Each is a probability, default 0. */
export interface Lies {
  /** That a block it serves has wrong bytes. */
  readonly blocks?: number | undefined
  /** That a message it publishes or passes on is replaced by garbage. */
  readonly messages?: number | undefined
}

/** A host asks a stranger for a block. */
export interface BlockRequest {
  readonly cid: CID
  /** Id of the host that asks. */
  readonly from: string
}

/**
 * How a stranger answers: `silence`; that the block is `missing`; wrong bytes, which engines notice and do not keep; or
 * `after` some milliseconds, with `bytes` that are wrong or with those in its store.
 */
export type Answer =
  | 'silence'
  | 'missing'
  | Uint8Array
  | { readonly after: number; readonly bytes?: Uint8Array | undefined }

/** `undefined` answers from the store, as any host does. */
export type Answerer = (request: BlockRequest) => Answer | undefined

/** Gets each message of a topic as it arrives, unchecked. */
export type Listener = (message: IncomingMessage) => void

/** A place in the network. What runs there changes with every boot. */
export interface Node {
  readonly id: string
  readonly index: number
  readonly traffic: Meter
  /** By topic: listeners beside the endpoint's own subscriptions. */
  readonly listeners: Map<string, Set<Listener>>
  endpoint: Endpoint | undefined
  /** The endpoint of a stranger, which stands in while no process runs. */
  resident: Endpoint | undefined
  /** Multiplies every latency from and to it. */
  slowness: number
  lies: Lies
  /** A node that has one says that it has every block, and is asked for them. */
  answerer: Answerer | undefined
  /** How far the wall clock of the host is ahead, milliseconds. */
  skew: number
  /** When its uplink has sent all that is queued. */
  uplinkFree: number
}

export function createNode(id: string, index: number): Node {
  return {
    id,
    index,
    traffic: createMeter(),
    listeners: new Map(),
    endpoint: undefined,
    resident: undefined,
    slowness: 1,
    lies: {},
    answerer: undefined,
    skew: 0,
    uplinkFree: 0
  }
}

export function subscribed(node: Node, topic: string): boolean {
  return node.endpoint?.topics.has(topic) === true || node.listeners.has(topic)
}

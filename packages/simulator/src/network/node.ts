import type { IncomingMessage } from '@p2pl/core/backend'
import type { CID } from 'multiformats/cid'
import type { Endpoint } from './endpoint.ts'
import { createMeter } from './traffic.ts'
import type { Meter } from './traffic.ts'

/** How a host lies. Each value is a probability, default 0. */
export interface Lies {
  /** Probability that a block that it serves has wrong bytes. */
  readonly blocks?: number | undefined
  /** Probability that a message that it publishes or passes on is replaced by garbage. */
  readonly messages?: number | undefined
}

/** A host's request to a stranger for a block. */
export interface BlockRequest {
  readonly cid: CID
  /** Id of the asking host. */
  readonly from: string
}

/**
 * How a stranger answers: not at all (`silence`); that the block is `missing`; with wrong bytes, which engines notice and
 * do not keep; or `after` some milliseconds, with wrong `bytes` or with those in its store.
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
  /** Listeners in addition to the endpoint's own subscriptions, by topic. */
  readonly listeners: Map<string, Set<Listener>>
  endpoint: Endpoint | undefined
  /** The endpoint of a stranger, which stands in while no process runs. */
  resident: Endpoint | undefined
  /** Multiplies every latency from and to the node. */
  slowness: number
  lies: Lies
  /** A node with an answerer claims to have every block, and is asked for them. */
  answerer: Answerer | undefined
  /** How far the host's wall clock is ahead, in milliseconds. */
  skew: number
  /** When its uplink will have sent everything that is queued. */
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

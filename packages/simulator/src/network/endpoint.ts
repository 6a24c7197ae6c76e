import type { BackendEvent, IncomingMessage, P2plError, Verdict } from '@p2pl/core/backend'
import type { MemoryStore } from '@p2pl/memory'
import type { CID } from 'multiformats/cid'

/** What runs on a host, as the network sees it. */
export interface Endpoint {
  readonly id: string
  readonly store: MemoryStore
  /** Topics with at least one subscription. */
  subscribed(topic: string): boolean
  /** Hands a message to the subscriptions; the verdict says whether it may be passed on. Never throws or rejects. */
  receive(topic: string, message: IncomingMessage): Verdict | Promise<Verdict>
  event(event: BackendEvent): void
}

/** A block that an endpoint waits for. */
export interface Want {
  readonly cid: CID
  /** Ids of hosts that are asked first. */
  readonly hints: readonly string[]
  readonly maxBytes: number
  found(bytes: Uint8Array): void
}

export interface Outcome<T> {
  resolve(value: T): void
  reject(error: P2plError): void
}

/** Takes back what was begun. */
export type Cancel = () => void

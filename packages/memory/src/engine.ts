import type { BackendEvent, Block, IncomingMessage, P2plError, PeerInfo, Verdict } from '@p2pl/core/backend'
import type { CID } from 'multiformats/cid'
import type { MemoryStore } from './store.ts'

/** A running backend, as its network sees it. */
export interface Member {
  readonly id: string
  readonly store: MemoryStore
  /** Topics with at least one subscription. */
  subscribed(topic: string): boolean
  /** Hands a message to the subscriptions; the verdict says whether it may be passed on. Never throws or rejects. */
  receive(topic: string, message: IncomingMessage): Verdict | Promise<Verdict>
  /** The member was cut off and is back: messages may be missing on every topic. */
  missed(): void
  event(event: BackendEvent): void
}

/** A block that a member waits for. */
export interface Want {
  readonly cid: CID
  /** Of its multihash. */
  readonly key: string
  /** Ids of members to be asked first. */
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

/**
 * What the backend adapts: something that joins members into one network. There are two: the plain network, where
 * everything happens at once, and the simulated one. What takes time there ends through `found` or an `Outcome`.
 */
export interface Engine {
  /** Throws `LOCKED` when a running member has the id. */
  join(member: Member): void
  leave(member: Member): void

  /** The topic was joined or left by its first or last subscription. */
  topicChanged(member: Member, topic: string): void
  /** Sends to every subscribed member in reach and returns to how many. The payload belongs to the engine. */
  publish(from: Member, topic: string, payload: Uint8Array): number
  /** Ids of those who would get a publish now. */
  recipients(of: Member, topic: string): string[]

  /** Looks for a block until it is found or taken back. The engine may keep what it found in the member's store. */
  want(by: Member, want: Want): Cancel
  /** The member's store has got a block. */
  stored(by: Member, block: Block, key: string): void
  /** The member's store has lost a block. */
  removed(by: Member, key: string): void

  provide(by: Member, key: string, outcome: Outcome<void>): Cancel | undefined
  unprovide(by: Member, key: string): void
  /** Ids of members in reach with a record, not the asking one. */
  findProviders(by: Member, key: string, limit: number, outcome: Outcome<readonly string[]>): Cancel | undefined
  findPeer(by: Member, id: string, outcome: Outcome<PeerInfo>): Cancel | undefined
  connect(by: Member, id: string, outcome: Outcome<void>): Cancel | undefined
  disconnect(by: Member, id: string): void
  connections(of: Member): string[]
}

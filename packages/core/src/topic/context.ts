import type { CID } from 'multiformats/cid'
import type { CallOptions, Timeouts } from '../api/common.ts'
import type { Environment, Limits } from '../api/peer.ts'
import type { Identity } from '../identity.ts'
import type { MessageCapabilities } from '../port/capabilities.ts'
import type { PeerInfo } from '../port/common.ts'
import type { BackendEvent } from '../port/events.ts'
import type { MessageTransport } from '../port/messages.ts'
import type { ClaimFetcher } from './claim-fetcher.ts'
import type { Pacer } from './pacer.ts'

/** Where payloads that do not fit into an envelope are stored. */
export interface ClaimStore {
  put(payload: Uint8Array, options: CallOptions): Promise<CID>
  /** Fetches the payloads of other peers. */
  readonly fetcher: ClaimFetcher
}

/** What the topics of one peer share. */
export interface TopicContext {
  readonly backendName: string
  readonly transport: MessageTransport
  readonly capabilities: () => MessageCapabilities
  /** The engine-level ids and addresses of this peer. */
  readonly self: () => readonly PeerInfo[]
  /** Absent if the peer has no data backend. */
  readonly claims: ClaimStore | undefined
  readonly pacer: Pacer
  readonly identity: Identity
  readonly environment: Environment
  readonly limits: Limits
  readonly timeouts: Timeouts
  readonly onEvent: (event: BackendEvent) => void
  /** Throws `NOT_RUNNING` once the peer is stopping. */
  readonly assertRunning: (operation: string) => void
}

import type { CID } from 'multiformats/cid'
import type { CallOptions, Deadlines } from '../api/common.ts'
import type { Limits } from '../api/peer.ts'
import type { Clock } from '../clock.ts'
import type { Cryptography, Identity } from '../identity.ts'
import type { MessageCapabilities } from '../port/capabilities.ts'
import type { PeerInfo } from '../port/common.ts'
import type { BackendEvent } from '../port/events.ts'
import type { MessageTransport } from '../port/messages.ts'

/** Where payloads that do not fit an envelope are left and fetched. */
export interface ClaimStore {
  put(payload: Uint8Array, options: CallOptions): Promise<CID>
  get(cid: CID, size: number, provider: PeerInfo | undefined, signal: AbortSignal): Promise<Uint8Array>
  /** The hint under which others reach this store. */
  self(): PeerInfo
}

/** What the topics of one peer share. */
export interface TopicContext {
  readonly backendName: string
  readonly transport: MessageTransport
  readonly capabilities: MessageCapabilities
  /** Engine-level id of the own participant. */
  readonly selfId: () => string
  /** Absent where the peer has no data backend. */
  readonly claims: ClaimStore | undefined
  readonly identity: Identity
  readonly cryptography: Cryptography
  readonly clock: Clock
  readonly random: () => number
  readonly limits: Limits
  readonly deadlines: Deadlines
  readonly onEvent: (event: BackendEvent) => void
  /** Throws `NOT_RUNNING` once the peer is stopping. */
  readonly assertRunning: (operation: string) => void
}

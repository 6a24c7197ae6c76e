import type { CID } from 'multiformats/cid'
import type { Timeouts } from '../api/common.ts'
import type { Clock } from '../clock.ts'
import type { Backend } from '../port/backend.ts'
import type { BackendEvent } from '../port/events.ts'
import type { Reacher } from './reach.ts'

/** What the data half of a peer works with. */
export interface DataContext {
  readonly backend: Backend
  /** `backend`: blocks from the backend are not hashed again. */
  readonly trust: 'verify' | 'backend'
  readonly timeouts: Timeouts
  readonly clock: Clock
  /** Whether any peer is connected directly; `undefined` where the backend cannot tell. */
  readonly connected: () => boolean | undefined
  /** Called when the app stores a block, perhaps one that a stranger left here before. */
  readonly onStore: (cid: CID) => void
  /** Asks other peers to keep content, if the peer has messages. */
  readonly receipts?: (() => Reacher | undefined) | undefined
  readonly onEvent: (event: BackendEvent) => void
  /** Throws `NOT_RUNNING` once the peer was stopped. */
  readonly assertRunning: (operation: string) => void
}

import type { CID } from 'multiformats/cid'
import type { Timeouts } from '../api/common.ts'
import type { Clock } from '../clock.ts'
import type { Backend } from '../port/backend.ts'
import type { BackendEvent } from '../port/events.ts'
import type { Reacher } from './reach.ts'

/** What the data half of a peer works with. */
export interface DataContext {
  readonly backend: Backend
  /** `backend`: what it returns is not hashed again. */
  readonly trust: 'verify' | 'backend'
  readonly timeouts: Timeouts
  readonly clock: Clock
  /** Whether any peer is connected directly; `undefined` where the backend cannot tell. */
  readonly connected: () => boolean | undefined
  /** The app stores a block, which may be one that a stranger left here before. */
  readonly onStore: (cid: CID) => void
  /** Asks other peers to have content, where the peer has messages. */
  readonly receipts?: (() => Reacher | undefined) | undefined
  readonly onEvent: (event: BackendEvent) => void
  /** Throws `NOT_RUNNING` once the peer was stopped. */
  readonly assertRunning: (operation: string) => void
}

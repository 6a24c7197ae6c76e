import type { BlockTransport } from './blocks.ts'
import type { Capabilities } from './capabilities.ts'
import type { AbortOptions, PeerInfo } from './common.ts'
import type { BackendEvent } from './events.ts'
import type { MessageTransport } from './messages.ts'
import type { Routing } from './routing.ts'

export interface StartOptions extends AbortOptions {
  /**
   * Receives what happens outside of any call: warnings, loss and return of the engine, peers that come and go.
   * It never throws and may be called until `stop` has resolved.
   */
  onEvent?: ((event: BackendEvent) => void) | undefined
}

/**
 * What an adapter makes of an engine: it moves opaque message bytes and blocks, and classifies what fails.
 * It does not retry a call (layers do), does not verify content (core does), and knows nothing of files or envelopes.
 *
 * Obligations of every method of the port:
 * - *Concurrency*: any number of calls may be under way at once. A backend whose engine cannot bear that serialises
 *   or bounds them itself.
 * - *Errors*: every failure is a `P2plError` with `backend` and `operation` set and an honest `retryable`.
 *   What the engine threw is the `cause`. Engine types never cross the port.
 * - *Lifecycle*: before `start` has resolved, and after `stop` was called, every call rejects with `NOT_RUNNING`.
 *   Calls under way when `stop` is called reject (`NOT_RUNNING` or `ABORTED`) or finish; none stays pending.
 * - *Retention*: bytes handed in are not changed, and not kept by reference after the call, except by a store that
 *   holds them as its content. Bytes handed out are not changed by the backend afterwards.
 * - *Hostility*: whatever comes from the network is bounded in size and number, and never becomes an unhandled
 *   rejection or an uncaught exception.
 * - *Deadlines*: core passes a signal with a deadline to each call. A backend adds its own deadline only where the
 *   engine would otherwise keep a resource after the signal fired.
 */
export interface Backend {
  /** Short and stable, for errors and metrics: `helia`, `ipfs-rpc`. A layer keeps the name of what it wraps. */
  readonly name: string
  /** What this object promises; constant from construction on. */
  readonly capabilities: Capabilities
  /**
   * Resolves when every part is usable. Idempotent; concurrent calls share one start. A failed start leaves nothing
   * running and may be tried again. May be called again after `stop`: a persistent backend then has its content and id.
   */
  start(options?: StartOptions): Promise<void>
  /** Releases everything: sockets, timers, files, processes, subscriptions. Idempotent; never rejects because of the state of the engine. */
  stop(options?: AbortOptions): Promise<void>
  /** The engine-level id and addresses under which others can reach this participant now. Only while running. */
  self(): PeerInfo
  /** Present exactly when `capabilities.messages` is. */
  readonly messages?: MessageTransport | undefined
  /** Present exactly when `capabilities.blocks` is. */
  readonly blocks?: BlockTransport | undefined
  /** Present exactly when `capabilities.routing` is. */
  readonly routing?: Routing | undefined
}

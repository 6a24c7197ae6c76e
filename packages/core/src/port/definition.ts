import type { ErrorCode } from '../errors.ts'
import type { SecretStore } from './backend.ts'
import type { BlockHooks } from './blocks.ts'
import type { Capabilities } from './capabilities.ts'
import type { PeerInfo } from './common.ts'
import type { EngineEvent } from './events.ts'
import type { MessageHooks } from './messages.ts'
import type { RoutingHooks } from './routing.ts'

export interface OpenOptions {
  /** Fires when nobody waits for the start any longer, and when the backend stops. It spans the life of this engine. */
  readonly signal: AbortSignal
  /** Reports to core what happens outside of any call. May be called at any time; has no effect after the end. */
  readonly report: (event: EngineEvent) => void
}

/** How an engine-level id and addresses look before the network's name is added. */
export interface SelfInfo {
  readonly id: string
  readonly addresses: readonly string[]
}

/** One running engine. */
export interface OpenedBackend<Engine = unknown> {
  /**
   * The id and addresses under which others can reach this peer now. A combinator returns one entry for each network. Never
   * throws.
   */
  self(): SelfInfo | readonly PeerInfo[]
  readonly messages?: MessageHooks | undefined
  readonly blocks?: BlockHooks | undefined
  readonly routing?: RoutingHooks | undefined
  /**
   * Limits that the engine tells only now, read at each call. Its parts, and its features with `none`, are those of the
   * definition.
   */
  readonly capabilities?: Capabilities | undefined
  readonly secrets?: SecretStore | undefined
  readonly engine?: Engine | undefined
  /**
   * Releases everything. Called once. By then the callers of pending hooks have had their errors. A rejection becomes a
   * `warning`.
   */
  close(): Promise<void>
}

export interface Classified {
  readonly code: ErrorCode
  /** Default: by code. */
  readonly retryable?: boolean | undefined
  /** Default: the message of the error. */
  readonly message?: string | undefined
}

/**
 * Everything that an adapter defines. `defineBackend` adds the behaviour that all backends share, so hooks are called only
 * while the engine runs, with checked arguments and a live signal. Obligations of every hook:
 *
 * - *Concurrency*: any number of calls may be under way at once. If an engine cannot handle that, its adapter limits them.
 * - *Errors*: hooks throw what the engine threw, or a `P2plError`. Nothing is retried. Engine types never cross the port.
 * - *Signals*: when the signal fires, the hook soon releases its resources and undoes unfinished work in its own store,
 *   such as half a pin. Its result no longer matters.
 * - *Retention*: bytes handed in are not changed, and no reference to them is kept after the call, except by a store that
 *   holds them as its content. Bytes handed out are not changed afterwards.
 * - *Hostility*: input from the network is bounded in size and number. It is never trusted, never becomes an unhandled
 *   rejection, and never stops the event loop.
 */
export interface BackendDefinition<Engine = unknown> {
  readonly name: string
  /**
   * The network of this engine's peers, for `PeerInfo.network`. Engines that reach each other share it: `libp2p`. A
   * combinator gives the list of its networks, and its `self` returns a list. Without a network its hooks get peers of any
   * network.
   */
  readonly network?: string | readonly string[] | undefined
  readonly capabilities: Capabilities
  /** Starts one engine. A failure or an abort leaves nothing behind. */
  open(options: OpenOptions): Promise<OpenedBackend<Engine>>
  /** What an error of the engine means. `undefined` if the adapter does not know; the error is then `ENGINE`, not retryable. */
  classify?(error: unknown, operation: string): Classified | undefined
}

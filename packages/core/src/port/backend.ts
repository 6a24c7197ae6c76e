import type { BlockTransport } from './blocks.ts'
import type { Capabilities } from './capabilities.ts'
import type { AbortOptions, PeerInfo } from './common.ts'
import type { BackendEvent } from './events.ts'
import type { MessageTransport } from './messages.ts'
import type { RoutingTransport } from './routing.ts'

export interface StartOptions extends AbortOptions {
  /** Receives events that happen outside of any call. It never throws, and is not called after `stop` has resolved. */
  onEvent?: ((event: BackendEvent) => void) | undefined
}

/**
 * Keeps small secrets next to the content, such as the seed of the peer's identity. Only the user of this process can read
 * them (mode 0600 on disk).
 */
export interface SecretStore {
  /** `undefined` when no secret has this name. Throws `STORAGE` when the secret exists but cannot be read. */
  get(name: string): Promise<Uint8Array | undefined>
  /** Resolves when the secret is on disk. */
  set(name: string, secret: Uint8Array): Promise<void>
}

/**
 * The interface that core and layers call. `defineBackend` makes it from an adapter's hooks, which state the obligations of
 * an engine: `MessageHooks`, `BlockHooks`, `RoutingHooks`. A layer wraps a backend and is one; a combinator makes one from
 * several.
 *
 * What holds for every call:
 * - *Concurrency*: any number may be under way at once.
 * - *Errors*: every failure is a `P2plError` with `backend` and `operation` set and an honest `retryable`.
 * - *Lifecycle*: before `start` has resolved and after `stop` was called, every call rejects with `NOT_RUNNING`. Calls
 *   under way when `stop` is called reject; none stays pending.
 * - *Arguments* are checked before the engine is asked: `INVALID_ARGUMENT`, `TOO_LARGE`, `UNSUPPORTED`.
 * - *Signals* end a call at once, whether or not the engine looks at them.
 */
export interface Backend {
  /** Short and stable, for errors and metrics: `helia`, `ipfs-rpc`. A layer keeps the name of the backend that it wraps. */
  readonly name: string
  /** The set of parts is constant. `start` may refine limits that the engine tells only when it runs. */
  readonly capabilities: Capabilities
  /**
   * Resolves when the backend is usable. Idempotent; concurrent calls share one start. A failed or aborted start leaves
   * nothing running and may be tried again. May be called again after `stop`: a persistent backend then still has its
   * content and id.
   */
  start(options?: StartOptions): Promise<void>
  /** Releases sockets, timers, files, processes, subscriptions. Idempotent. Rejects only when its signal fires first. */
  stop(options?: AbortOptions): Promise<void>
  /** The networks that the backend is on when it runs, if that is known before. */
  readonly networks?: readonly string[] | undefined
  /**
   * The ids and addresses under which others can reach this peer now, one entry for each network that it is on. Throws
   * `NOT_RUNNING`.
   */
  self(): readonly PeerInfo[]
  /** Present exactly when `capabilities.messages` is. */
  readonly messages?: MessageTransport | undefined
  /** Present exactly when `capabilities.blocks` is. */
  readonly blocks?: BlockTransport | undefined
  /** Present exactly when `capabilities.routing` is. */
  readonly routing?: RoutingTransport | undefined
  /** Secrets that are kept in the engine's folder, if it has one. Usable only while the backend runs. */
  readonly secrets?: SecretStore | undefined
  /**
   * The engine itself, for what the port does not cover; `undefined` while it does not run. **Unstable**: its type is the
   * engine's and may change with any release of the adapter. Layers pass it through.
   */
  readonly engine?: unknown
}

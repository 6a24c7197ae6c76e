import type { CID } from 'multiformats/cid'

/** What each call of a backend takes. */
export interface AbortOptions {
  /**
   * Ends the call: it rejects soon after with `ABORTED`, or with `TIMEOUT` if the signal is a timeout. A call with a signal
   * that has already fired does nothing. Whatever the engine has already done remains.
   */
  signal?: AbortSignal | undefined
  /** The `context` of the app's call, unchanged. For layers such as tracing. */
  context?: unknown
}

/** What `defineBackend` hands to each hook. */
export interface HookOptions {
  /** Fires with the caller's signal, and when the backend stops. The caller has its answer by then: a hook only has to clean up. */
  readonly signal: AbortSignal
  readonly context?: unknown
}

/** A peer as an engine knows it. The identity that signs messages belongs to core, and is independent of the engine. */
export interface PeerInfo {
  /** The network that the id and the addresses belong to: `libp2p`, `bittorrent`. Backends of one network reach each other. */
  readonly network: string
  /** The engine's own id in its usual text form, at most 512 characters. */
  readonly id: string
  /** Dialable addresses in the engine's text form (multiaddrs, `host:port`); may be empty. At most 16, each at most 512 characters. */
  readonly addresses: readonly string[]
}

/** A block: bytes and the CID that they hash to. Neither side changes the bytes afterwards. */
export interface Block {
  readonly cid: CID
  readonly bytes: Uint8Array
}

/** How far a long call has come. */
export interface Progress {
  /** Bytes of content done so far. */
  readonly bytes: number
  /** Bytes of content in total, if known. */
  readonly total?: number | undefined
  /** Blocks done so far. */
  readonly blocks: number
}

/** The same function for a caller: its last parameter, the options, may be left out, and so may each option. */
export type Call<F> = F extends (...args: [...infer A, infer O]) => infer R
  ? (...args: [...A, options?: { [K in keyof O]?: O[K] | undefined }]) => R
  : never

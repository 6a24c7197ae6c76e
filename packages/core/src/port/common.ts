import type { CID } from 'multiformats/cid'

/**
 * Every call of the port takes a signal. It is looked at before work starts: a call with a signal that has already
 * fired does nothing. When it fires later the call rejects soon after with code `ABORTED` (`TIMEOUT` when the signal
 * was a timeout); what the engine already did is not undone.
 */
export interface AbortOptions {
  signal?: AbortSignal | undefined
}

/**
 * A participant as the engine knows it. It is engine-level: the identity that signs messages is core's and independent.
 */
export interface PeerInfo {
  /** The engine's own id in its usual text form. */
  readonly id: string
  /** Dialable addresses in the engine's text form (multiaddrs, `host:port`); may be empty. At most 16, each at most 512 characters. */
  readonly addresses: readonly string[]
}

/** A block: bytes and the CID that they hash to. Neither side may change the bytes afterwards. */
export interface Block {
  readonly cid: CID
  readonly bytes: Uint8Array
}

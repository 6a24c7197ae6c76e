import type { CID } from 'multiformats/cid'
import type { Call, HookOptions, PeerInfo } from './common.ts'

export interface FindProvidersOptions extends HookOptions {
  /** Stop after this many distinct providers; at least 1. */
  readonly limit: number
}

/**
 * Finds and reaches other peers.
 *
 * - *No policy*: `connect` dials once and `provide` puts out one record. Core keeps connections, and renews records before
 *   `recordLifetime` has passed.
 * - *Provider records* are by multihash.
 * - *Retries*: none.
 *
 * A hook is present exactly when the capability of its name is not `none`; `disconnect` and `connections` go with `connect`.
 */
export interface RoutingHooks {
  /**
   * Resolves when a peer that others will ask for providers has accepted the record. Rejects with a retryable `NO_PEERS`
   * while there is none.
   */
  provide?(cid: CID, options: HookOptions): Promise<void>
  /**
   * Forgets the record, if the engine keeps it. Others may find it until its lifetime is over. Not an error when there is
   * no record.
   */
  unprovide?(cid: CID, options: HookOptions): Promise<void>
  /**
   * Distinct remote peers with a record for the CID, as they are found. Ends when the search is exhausted, and throws when
   * the signal fires first. Finding none is an empty iteration. The local peer is not listed.
   */
  findProviders?(cid: CID, options: FindProvidersOptions): AsyncIterable<PeerInfo>
  /** The addresses of a peer, by its engine-level id. Rejects with `NOT_FOUND` when no peer knows it. */
  findPeer?(id: string, options: HookOptions): Promise<PeerInfo>
  /** Makes a direct connection; resolves at once if there is one. Rejects with `UNREACHABLE` when no address answers. */
  connect?(peer: PeerInfo, options: HookOptions): Promise<void>
  /** Closes direct connections to the peer. Not an error when there is none. */
  disconnect?(id: string, options: HookOptions): Promise<void>
  /** The peers that are directly connected now. A connection that was cut is listed for a few seconds at most. */
  connections?(options: HookOptions): Promise<readonly PeerInfo[]>
  /**
   * The peer that a text in the engine's own form names (a multiaddr, `host:port`). Returns `undefined` for any other text.
   * Never throws.
   */
  parseAddress?(text: string): PeerInfo | undefined
  /** Peers named by the options. Core connects to them at start, and keeps the connections. */
  readonly bootstrap?: readonly PeerInfo[] | undefined
}

type Calls = Required<Omit<RoutingHooks, 'findProviders' | 'parseAddress' | 'bootstrap'>>

/** The routing of a backend, as core and layers call it. */
export type RoutingTransport = { readonly [K in keyof Calls]: Call<Calls[K]> } & {
  /** At most `limit` (default 20). */
  readonly findProviders: Call<NonNullable<RoutingHooks['findProviders']>>
  parseAddress(text: string): PeerInfo | undefined
  readonly bootstrap: readonly PeerInfo[]
}

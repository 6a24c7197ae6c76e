import type { CID } from 'multiformats/cid'
import type { AbortOptions, PeerInfo } from './common.ts'

export interface FindProvidersOptions extends AbortOptions {
  /** Stop after this many distinct providers. Default 20. */
  limit?: number | undefined
}

/**
 * Who has what, and how to reach whom.
 *
 * - *Provider records* are by multihash. A backend renews what it provides for as long as it runs, well within
 *   `recordLifetime`; across restarts only where its store persists.
 * - *Retries*: none. Providing while alone rejects with the retryable `NO_PEERS`.
 */
export interface Routing {
  /** Resolves when at least one other participant that others ask has accepted the record. */
  provide(cid: CID, options?: AbortOptions): Promise<void>
  /** Stops renewing the record. Others may find it until its lifetime is over. Not an error when it was not provided. */
  unprovide(cid: CID, options?: AbortOptions): Promise<void>
  /**
   * Distinct remote participants with a record for the CID, as they are found. Ends when the search is exhausted, and
   * throws when the signal fires first. Finding none is an empty iteration. The own participant is not listed.
   */
  findProviders(cid: CID, options?: FindProvidersOptions): AsyncIterable<PeerInfo>
  /** Addresses of a participant by its engine-level id. `NOT_FOUND` when nobody knows it. */
  findPeer(id: string, options?: AbortOptions): Promise<PeerInfo>
  /** Makes a direct connection and keeps it while both run: it is made again when it is lost. `UNREACHABLE` when no address answers. */
  connect(peer: PeerInfo, options?: AbortOptions): Promise<void>
  /** Ends direct connections to the participant and stops making them again. Not an error when there is none. */
  disconnect(id: string, options?: AbortOptions): Promise<void>
  /** The participants that are connected directly now. */
  connections(options?: AbortOptions): Promise<readonly PeerInfo[]>
}

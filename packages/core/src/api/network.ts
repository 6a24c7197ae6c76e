import type { PeerInfo } from '../port/common.ts'
import type { CallOptions } from './common.ts'

/** A peer: one entry of `network.self()`, all entries of that list, or an address in an engine's text form (a multiaddr). */
export type PeerAddress = PeerInfo | readonly PeerInfo[] | string

/** This peer's connections to others. The ids are the engine's; see `peer.id` for the one that signs. */
export interface Network {
  /**
   * The engine-level ids and addresses under which others reach this peer, one entry for each of its networks. Give other
   * peers the whole list, for `connect` or as a provider hint. Throws `NOT_RUNNING`.
   */
  self(): readonly PeerInfo[]
  /**
   * The addresses of a peer, by its engine-level id. Throws `NOT_FOUND` when no peer knows it, `UNSUPPORTED`, `TIMEOUT`,
   * `ABORTED`, `NOT_RUNNING`.
   */
  findPeer(id: string, options?: CallOptions): Promise<PeerInfo>
  /**
   * Connects, and keeps the connection until `disconnect`. Core dials again, with growing pauses, whenever the connection
   * is lost, and after a first attempt that failed. Resolves when the peer is connected on one of its networks. Throws
   * `UNREACHABLE` when no address answers now, `INVALID_ARGUMENT` for a text that names no peer, `UNSUPPORTED` when no
   * backend is on the peer's network.
   */
  connect(peer: PeerAddress, options?: CallOptions): Promise<void>
  /** Closes direct connections, and stops dialling the peer. Not an error when there is no connection. */
  disconnect(id: string, options?: CallOptions): Promise<void>
  /** The peers that are directly connected now. Throws `UNSUPPORTED` if no backend can connect. */
  connections(options?: CallOptions): Promise<readonly PeerInfo[]>
}

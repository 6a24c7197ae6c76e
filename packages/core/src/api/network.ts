import type { PeerInfo } from '../port/common.ts'
import type { CallOptions } from './common.ts'

/** The engine-level neighbourhood. Where messages and data use two backends, this is the data backend's. */
export interface Network {
  /** Under which id and addresses others reach this peer's data. Give it to them as a provider hint, or to `connect`. */
  self(): PeerInfo
  /** The same for each backend of this peer, the data backend's first: one or two. What others need to connect to all of it. */
  selves(): readonly PeerInfo[]
  /** Addresses of a participant by its engine-level id. `NOT_FOUND` when nobody knows it, `UNSUPPORTED` where the data backend cannot. */
  findPeer(id: string, options?: CallOptions): Promise<PeerInfo>
  /**
   * Connects, and again whenever the connection is lost, on every backend of this peer that understands the address.
   * `UNREACHABLE` when no address answers, `UNSUPPORTED` where no backend can connect.
   */
  connect(peer: PeerInfo, options?: CallOptions): Promise<void>
  /** Ends direct connections on every backend, and stops making them again. Not an error when there is none. */
  disconnect(id: string, options?: CallOptions): Promise<void>
  /** Who is connected directly now, on every backend of this peer. `UNSUPPORTED` where no backend has routing. */
  connections(options?: CallOptions): Promise<readonly PeerInfo[]>
}

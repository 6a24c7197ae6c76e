import type { Peer, PeerInfo } from '@p2pl/core'

/** The currently connected peers, which are the first to ask for content. Empty if the engine cannot tell. */
export async function connectedPeers(peer: Peer): Promise<readonly PeerInfo[]> {
  const { routing } = peer.capabilities
  return routing === undefined || routing.connect === 'none' ? [] : await peer.network.connections()
}

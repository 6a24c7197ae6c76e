import type { Peer, PeerOptions } from '../api/peer.ts'

export async function createPeer(_options: PeerOptions): Promise<Peer> {
  throw new Error('under construction')
}

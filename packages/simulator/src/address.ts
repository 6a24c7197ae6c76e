import type { PeerInfo } from '@p2pl/core/backend'

const scheme = 'simulator:'

export function peerInfo(id: string): PeerInfo {
  return { id, addresses: [scheme + id] }
}

/** The id that the addresses lead to, or the id itself where there is none that this network understands. */
export function dialable(peer: PeerInfo): string {
  const address = peer.addresses.find((candidate) => candidate.startsWith(scheme))
  return address === undefined ? peer.id : address.slice(scheme.length)
}

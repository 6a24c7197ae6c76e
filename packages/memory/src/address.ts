import type { PeerInfo } from '@p2pl/core/backend'

const scheme = 'memory:'

/** The address of a peer is its id after `memory:`. */
export function peerInfo(network: string, id: string): PeerInfo {
  return { network, id, addresses: [scheme + id] }
}

export function parseAddress(network: string, text: string): PeerInfo | undefined {
  return text.startsWith(scheme) && text.length > scheme.length
    ? peerInfo(network, text.slice(scheme.length))
    : undefined
}

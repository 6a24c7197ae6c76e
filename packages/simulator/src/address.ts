import type { PeerInfo } from '@p2pl/core/backend'

const scheme = 'simulator:'
/** The network of every simulated peer, for `PeerInfo`. */
export const networkName = 'simulator'

/** The address of a host is its id after `simulator:`. */
export function peerInfo(id: string): PeerInfo {
  return { network: networkName, id, addresses: [scheme + id] }
}

export function parseAddress(text: string): PeerInfo | undefined {
  return text.startsWith(scheme) && text.length > scheme.length ? peerInfo(text.slice(scheme.length)) : undefined
}

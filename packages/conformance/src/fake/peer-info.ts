import type { PeerInfo } from '@p2pl/core/backend'

export const fakeNetworkName = 'fake'

export function peerInfo(id: string): PeerInfo {
  return { network: fakeNetworkName, id, addresses: [`fake:${id}`] }
}

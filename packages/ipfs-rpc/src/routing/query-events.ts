import type { PeerInfo } from '@p2pl/core/backend'
import { isPeerId, readableAddresses } from '@p2pl/kubo/rpc'
import { withPeerId } from './address.ts'

// Types of the query events of the daemon.
export const finalPeer = 2
export const provider = 4

/** A DHT does not answer with more peers in one event. */
const maxPeers = 1_000

/**
 * The peers of a query event of this type. Peers describe themselves, so one that cannot be read is left out: nobody in
 * the DHT can end the searches of others.
 */
export function peersIn(event: Record<string, unknown>, type: number): PeerInfo[] {
  const { Type: given, Responses: responses } = event
  if (given !== type || !Array.isArray(responses)) return []
  return (responses as ({ ID?: unknown; Addrs?: unknown } | null)[]).slice(0, maxPeers).flatMap((response) => {
    const id = response?.ID
    if (!isPeerId(id)) return []
    const addresses = readableAddresses(response?.Addrs)
    return { network: 'libp2p', id, addresses: addresses.map((address) => withPeerId(address, id)) }
  })
}

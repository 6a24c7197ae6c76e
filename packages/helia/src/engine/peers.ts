import type { Libp2p, PeerId } from '@libp2p/interface'
import { peerIdFromString } from '@libp2p/peer-id'
import { isMultiaddr, multiaddr, type Multiaddr } from '@multiformats/multiaddr'
import { P2plError, type PeerInfo } from '@p2pl/core/backend'

/** The name of the network in `PeerInfo`: all libp2p nodes can reach each other. */
export const network = 'libp2p'

/** Limits of `PeerInfo`. */
const maxAddresses = 16
const maxAddressLength = 512

/** The addresses as text, without duplicates, within the limits of the port. */
export function addressTexts(addresses: readonly Multiaddr[]): string[] {
  const texts = new Set<string>()
  for (const address of addresses) {
    const text = address.toString()
    if (text.length <= maxAddressLength && texts.size < maxAddresses) texts.add(text)
  }
  return [...texts]
}

/** What the node knows about a peer. */
export async function peerInfo(libp2p: Libp2p, id: string): Promise<PeerInfo> {
  try {
    const peer = await libp2p.peerStore.get(peerIdFromString(id))
    return { network, id, addresses: addressTexts(peer.addresses.map((address) => address.multiaddr)) }
  } catch {
    return { network, id, addresses: [] }
  }
}

/** Throws `INVALID_ARGUMENT`. */
export function parsePeerId(id: string): PeerId {
  try {
    if (id.length <= 128) return peerIdFromString(id)
  } catch {
    // The error is thrown below.
  }
  const message = `"${id.slice(0, 80)}" is not a peer id such as 12D3KooW…`
  throw new P2plError({ code: 'INVALID_ARGUMENT', message })
}

/**
 * Addresses to dial. Each ends in the peer id, so that no other peer can answer. Texts that are not multiaddrs are left
 * out.
 */
export function dialable(id: string, addresses: readonly unknown[]): Multiaddr[] {
  const suffix = multiaddr(`/p2p/${id}`)
  const result: Multiaddr[] = []
  for (const entry of addresses.slice(0, maxAddresses)) {
    const address = toMultiaddr(entry)
    if (address === undefined) continue
    const named = address.getComponents().findLast(({ name }) => name === 'p2p')?.value
    if (named === undefined) result.push(address.encapsulate(suffix))
    else if (named === id) result.push(address)
  }
  return result
}

/** The peer that a multiaddr with `/p2p/<peer id>` names. */
export function peerOfAddress(text: string): PeerInfo | undefined {
  const id = toMultiaddr(text)
    ?.getComponents()
    .findLast(({ name }) => name === 'p2p')?.value
  return id === undefined ? undefined : { network, id, addresses: [text] }
}

function toMultiaddr(entry: unknown): Multiaddr | undefined {
  if (isMultiaddr(entry)) return entry
  if (typeof entry !== 'string' || entry.length > maxAddressLength) return undefined
  try {
    return multiaddr(entry)
  } catch {
    return undefined
  }
}

import type { PeerInfo } from '@p2pl/core/backend'
import { isMultiaddr, isPeerId } from '@p2pl/kubo/rpc'

/** The address with the id of its peer at the end. */
export function withPeerId(address: string, id: string): string {
  const suffix = `/p2p/${id}`
  return address.endsWith(suffix) ? address : `${address}${suffix}`
}

/** The peer of a multiaddr that ends with `/p2p/<id>`, such as `/ip4/192.0.2.1/tcp/4001/p2p/12D3…` or `/p2p/12D3…`. */
export function parseAddress(text: string): PeerInfo | undefined {
  if (!isMultiaddr(text)) return undefined
  const id = /\/p2p\/([^/]+)$/.exec(text)?.[1]
  if (!isPeerId(id)) return undefined
  const address = text.slice(0, -`/p2p/${id}`.length)
  return { network: 'libp2p', id, addresses: address === '' ? [] : [text] }
}

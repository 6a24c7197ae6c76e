import type { PeerInfo } from '@p2pl/core/backend'
import { failure } from './tools/failure.ts'
import type { Link } from './overlay/links/link.ts'
import { formatAddress, parseAddress, type Address } from './tools/address.ts'
import { fromHex, hexOf } from './tools/bytes.ts'

export const network = 'bittorrent'

export function peerInfoOf({ id, address }: Link): PeerInfo {
  return { network, id, addresses: address === undefined ? [] : [formatAddress(address)] }
}

/**
 * The peer that a text names: `host:port`, or `id@host:port`, so that no other peer can answer in its place. If only
 * the address is known, it takes the place of the id.
 */
export function parsePeer(text: string): PeerInfo | undefined {
  const [, id, at = text] = /^([0-9a-f]{40})@(.*)$/.exec(text) ?? []
  const address = parseAddress(at)
  if (address === undefined) return undefined
  const plain = formatAddress(address)
  return { network, id: id ?? plain, addresses: [plain] }
}

/** Throws `INVALID_ARGUMENT` for anything except 40 hexadecimal digits, or an address in place of an id. */
export function checkPeerId(id: string): void {
  if (/^[0-9a-f]{40}$/.test(id) || isAddress(id)) return
  const message = `${JSON.stringify(id.slice(0, 80))} is not a peer id of 40 hexadecimal digits, nor an address such as 127.0.0.1:6881`
  throw failure({ code: 'INVALID_ARGUMENT', message })
}

/** Whether an address takes the place of the id. */
export function isAddress(id: string): boolean {
  return parseAddress(id) !== undefined
}

/** Whether the link leads to the peer, which is named by its id or by an address. */
export function leadsTo(id: string, link: Link): boolean {
  return link.id === id || String(link) === id
}

const publisherPrefix = 'urn:btpk:'

/** In the form of BEP 46. */
export function formatPublisher(publicKey: Uint8Array): string {
  return `${publisherPrefix}${hexOf(publicKey)}`
}

/** The 32 bytes of the key; `undefined` for anything else. */
export function parsePublisher(text: unknown): Uint8Array | undefined {
  if (typeof text !== 'string' || !/^urn:btpk:[0-9a-f]{64}$/i.test(text)) return undefined
  return fromHex(text.slice(publisherPrefix.length))
}

/** The keys among the addresses of a hint. */
export function publishersIn({ addresses }: PeerInfo): Uint8Array[] {
  return addresses.flatMap((text) => parsePublisher(text) ?? [])
}

/** The addresses of a hint that can be dialled, in the same order. */
export function dialable({ addresses }: PeerInfo): Address[] {
  return addresses.flatMap((text) => parseAddress(text) ?? [])
}

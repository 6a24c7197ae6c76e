import type { PeerInfo } from '@p2pl/core/backend'
import { failure } from './errors.ts'
import type { Link } from './overlay/links/link.ts'
import { formatAddress, parseAddress, type Address } from './tools/address.ts'
import { fromHex, hexOf } from './tools/bytes.ts'

const maxAddresses = 16

export function peerInfoOf({ id, address }: Link): PeerInfo {
  return { id, addresses: address === undefined ? [] : [formatAddress(address)] }
}

/** Throws `INVALID_ARGUMENT` for anything but a peer id: 40 hexadecimal digits. */
export function checkPeerId(operation: string, id: unknown): string {
  if (typeof id === 'string' && /^[0-9a-f]{40}$/.test(id)) return id
  throw failure({
    code: 'INVALID_ARGUMENT',
    operation,
    message: `"${String(id).slice(0, 80)}" is not a peer id: 40 hexadecimal digits`
  })
}

const publisherPrefix = 'urn:btpk:'

/** As BEP 46 writes it. */
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
  return addresses.slice(0, maxAddresses).flatMap((text) => parsePublisher(text) ?? [])
}

/** The addresses of a hint that can be dialled, in their order. */
export function dialable({ addresses }: PeerInfo): Address[] {
  return addresses.slice(0, maxAddresses).flatMap((text) => parseAddress(text) ?? [])
}

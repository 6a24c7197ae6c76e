import type { PeerInfo } from '@p2pl/core/backend'
import { formatAddress, parseAddress, type Address } from './address.ts'
import { fromHex, hexOf } from './bytes.ts'
import type { Link } from './engine/link.ts'
import { failure } from './errors.ts'

const maxAddresses = 16

export function peerInfoOf({ id, address }: Link): PeerInfo {
  return { id, addresses: address === undefined ? [] : [formatAddress(address)] }
}

/** Refuses what is not the id of a participant: 40 hexadecimal digits. */
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

/** Keys among the addresses of a hint. */
export function publishersIn({ addresses }: PeerInfo): Uint8Array[] {
  return addresses.slice(0, maxAddresses).flatMap((text) => parsePublisher(text) ?? [])
}

/** Those that are addresses, in their order. */
export function dialable({ addresses }: PeerInfo): Address[] {
  return addresses.slice(0, maxAddresses).flatMap((text) => parseAddress(text) ?? [])
}

import type { PeerInfo } from '@p2pl/core/backend'
import { formatAddress, parseAddress, type Address } from './address.ts'
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

/** Those that are addresses, in their order. */
export function dialable({ addresses }: PeerInfo): Address[] {
  return addresses.slice(0, maxAddresses).flatMap((text) => parseAddress(text) ?? [])
}

import { concatBytes } from '@p2pl/core/backend'

export const maxAddressLength = 64

/** Encodes addresses, each as its length and its text. Addresses that are too long are left out. */
export function encodeAddresses(addresses: readonly string[]): Uint8Array {
  const parts: Uint8Array[] = []
  for (const address of addresses) {
    const bytes = Buffer.from(address)
    if (bytes.byteLength <= maxAddressLength) parts.push(Uint8Array.of(bytes.byteLength), bytes)
  }
  return concatBytes(...parts)
}

/** Returns at most `limit` addresses. Throws when the bytes end too early. */
export function decodeAddresses(bytes: Uint8Array, limit: number): string[] {
  const addresses: string[] = []
  for (let at = 0; at < bytes.byteLength && addresses.length < limit;) {
    const length = bytes[at] ?? 0
    const end = at + 1 + length
    if (length > maxAddressLength || end > bytes.byteLength) throw new RangeError('an address is cut off')
    addresses.push(Buffer.from(bytes.subarray(at + 1, end)).toString('utf8'))
    at = end
  }
  return addresses
}

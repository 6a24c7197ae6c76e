import { concatBytes } from '../bytes.ts'

/** What participants say to each other, inside the extension `p2pl` (BEP 10): one byte of kind, then the body. */
export const frame = {
  /** Topics that the sender joined (1) or left (0): flag, then a key, repeated. */
  topics: 1,
  /** Topic key, message id, publisher's id, payload. */
  message: 2,
  /** Topic key, ids of messages that the sender has. */
  have: 3,
  /** Topic key, ids of messages that the sender misses. */
  want: 4,
  /** Topic key, publisher's id: its messages come another way, do not send them unasked. */
  prune: 5,
  /** Topic key, addresses of its subscribers. */
  peers: 6,
  /** Request id, multihash: who has the block? Stays open until it is cancelled. */
  ask: 16,
  /** Request id, size: here it is. */
  offer: 17,
  /** Request id: send it. */
  fetch: 18,
  /** Request id, size, offset, bytes. */
  chunk: 19,
  /** Request id. */
  cancel: 20,
  /** Request id, key: do you provide it? */
  provides: 32,
  /** Request id, 0 or 1. */
  provided: 33,
  /** Request id, multihash: under which infohash do you seed the file? */
  torrent: 34,
  /** Request id, infohash; or nothing more. */
  infoHash: 35
} as const

export const keyLength = 20
export const messageIdLength = 16
export const peerIdLength = 20

const maxAddressLength = 64

/** Addresses, each as its length and its text. */
export function encodeAddresses(addresses: readonly string[]): Uint8Array {
  const parts: Uint8Array[] = []
  for (const address of addresses) {
    const bytes = Buffer.from(address)
    if (bytes.byteLength <= maxAddressLength) parts.push(Uint8Array.of(bytes.byteLength), bytes)
  }
  return concatBytes(...parts)
}

/** At most `limit`. Throws where the bytes end too soon. */
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

/** Cuts bytes into parts of equal length. Throws when something is left over. */
export function* fixedParts(bytes: Uint8Array, length: number): Generator<Uint8Array> {
  if (bytes.byteLength % length !== 0) throw new RangeError('a list is cut off')
  for (let at = 0; at < bytes.byteLength; at += length) yield bytes.subarray(at, at + length)
}

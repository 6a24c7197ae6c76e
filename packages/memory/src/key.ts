import { CID } from 'multiformats/cid'
import type { PeerInfo } from '@p2pl/core/backend'
import { failure } from './errors.ts'

const scheme = 'memory:'

export function peerInfo(id: string): PeerInfo {
  return { id, addresses: [scheme + id] }
}

/** The id that the addresses lead to, or the id itself where there is none that this network understands. */
export function dialable(peer: PeerInfo): string {
  const address = peer.addresses.find((candidate) => candidate.startsWith(scheme))
  return address === undefined ? peer.id : address.slice(scheme.length)
}

/** The caller's CID may come from another copy of multiformats, so it is recognised by shape. */
export function asCid(operation: string, value: unknown): CID {
  const cid = CID.asCID(value)
  if (cid === null) throw failure('INVALID_ARGUMENT', operation, `${operation} needs a CID, not ${typeof value}`)
  return cid
}

/** Blocks are found by multihash: one character per byte, cheaper to make than any multibase. */
export function blockKey(cid: CID): string {
  const { bytes } = cid.multihash
  // An identity CID may be as long as a block: more than a call takes as arguments.
  if (bytes.byteLength > 1_024) return Array.from(bytes, (byte) => String.fromCharCode(byte)).join('')
  return String.fromCharCode(...bytes)
}

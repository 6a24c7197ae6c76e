import { decode, encode } from '@ipld/dag-cbor'
import { CID } from 'multiformats/cid'
import { isBytesOf, isCount, isTuple } from '../envelope/checks.ts'
import { encodeHints, parseHints } from '../envelope/hints.ts'
import { peerIdFromPublicKey, publicKeyFromPeerId, publicKeyLength } from '../identity.ts'
import type { PeerInfo } from '../port/common.ts'
import { maxCidLength, nonceLength } from './acknowledgement.ts'

/** Maximum number of peers that one note names. */
export const maxNamed = 32
/** Maximum bytes of one note. */
export const maxNoteBytes = 8_192
export const wholeShare = 256
const version = 1
const refusals = ['full', 'busy', 'missing', 'failed'] as const

/** Why a peer does not acknowledge: no room, too busy, not stored here, or the fetch failed. */
export type Refusal = (typeof refusals)[number]

/** Asks which peers would keep some bytes, and, if content is named, which have it. */
export interface Call {
  readonly kind: 'call'
  readonly nonce: Uint8Array
  readonly cid: CID | undefined
  readonly bytes: number
  /** How many of 256 peers should answer: 1 to 256. */
  readonly share: number
}

export interface Offer {
  readonly kind: 'offer'
  readonly nonce: Uint8Array
  readonly to: string
  readonly has: boolean
  readonly free: number
}

/** Asks the named peers to obtain the content and to prove it. */
export interface Ask {
  readonly kind: 'ask'
  readonly nonce: Uint8Array
  readonly to: readonly string[]
  readonly cid: CID
  readonly bytes: number
  readonly blocks: number
  readonly challenge: number
  /** Whether it may be fetched now. */
  readonly fetch: boolean
  readonly providers: readonly PeerInfo[]
}

export type Note =
  | Call
  | Offer
  | Ask
  | { readonly kind: 'acknowledgement'; readonly encoded: Uint8Array }
  | { readonly kind: 'refusal'; readonly nonce: Uint8Array; readonly to: string; readonly reason: Refusal }
  /** The named peers no longer need to keep it for the sender. With a nonce: only what they began for that ask. */
  | {
      readonly kind: 'release'
      readonly nonce: Uint8Array | undefined
      readonly to: readonly string[]
      readonly cid: CID
    }

const kinds = ['call', 'offer', 'ask', 'acknowledgement', 'refusal', 'release'] as const

/** DAG-CBOR `[version, kind, …fields]`. */
export function encodeNote(note: Note): Uint8Array {
  return encode([version, kinds.indexOf(note.kind), ...fields(note)])
}

function fields(note: Note): unknown[] {
  switch (note.kind) {
    case 'call':
      return [note.nonce, note.cid ?? null, note.bytes, note.share]
    case 'offer':
      return [note.nonce, publicKeyFromPeerId(note.to), note.has, note.free]
    case 'ask': {
      const { nonce, to, cid, bytes, blocks, challenge, fetch, providers } = note
      return [nonce, to.map(publicKeyFromPeerId), cid, bytes, blocks, challenge, fetch, encodeHints(providers)]
    }
    case 'acknowledgement':
      return [note.encoded]
    case 'refusal':
      return [note.nonce, publicKeyFromPeerId(note.to), refusals.indexOf(note.reason)]
    default:
      return [note.nonce ?? null, note.to.map(publicKeyFromPeerId), note.cid]
  }
}

/** `undefined` for anything that is not a note. Never throws. */
export function decodeNote(bytes: Uint8Array): Note | undefined {
  try {
    const value: unknown = decode(bytes)
    if (!Array.isArray(value) || value[0] !== version || !isCount(value[1])) return undefined
    const kind = kinds[value[1]]
    return kind === undefined ? undefined : parsers[kind](value.slice(2) as unknown[])
  } catch {
    return undefined
  }
}

const parsers: { readonly [K in Note['kind']]: (rest: unknown[]) => Extract<Note, { kind: K }> | undefined } = {
  call: (rest) => {
    const [nonce, link, bytes, share] = rest
    const cid = link === null ? undefined : cidOf(link)
    if (!isTuple(rest, 4) || !isNonce(nonce) || (link !== null && cid === undefined)) return undefined
    if (!isCount(bytes) || !isCount(share) || share < 1 || share > wholeShare) return undefined
    return { kind: 'call', nonce, cid, bytes, share }
  },
  offer: (rest) => {
    const [nonce, key, has, free] = rest
    const to = idOf(key)
    if (!isTuple(rest, 4) || !isNonce(nonce) || to === undefined) return undefined
    return typeof has === 'boolean' && isCount(free) ? { kind: 'offer', nonce, to, has, free } : undefined
  },
  ask: (rest) => {
    const [nonce, keys, link, bytes, blocks, challenge, fetch, hints] = rest
    const [to, cid, providers] = [idsOf(keys), cidOf(link), parseHints(hints)]
    if (!isTuple(rest, 8) || !isNonce(nonce) || to === undefined || cid === undefined) return undefined
    if (!isCount(bytes) || !isCount(blocks) || blocks < 1 || !isCount(challenge) || challenge < 1) return undefined
    if (typeof fetch !== 'boolean' || providers === undefined) return undefined
    return { kind: 'ask', nonce, to, cid, bytes, blocks, challenge, fetch, providers }
  },
  acknowledgement: (rest) => {
    const [encoded] = rest
    return isTuple(rest, 1) && isBytesOf(encoded) ? { kind: 'acknowledgement', encoded } : undefined
  },
  refusal: (rest) => {
    const [nonce, key, index] = rest
    const [to, reason] = [idOf(key), isCount(index) ? refusals[index] : undefined]
    if (!isTuple(rest, 3) || !isNonce(nonce) || to === undefined || reason === undefined) return undefined
    return { kind: 'refusal', nonce, to, reason }
  },
  release: (rest) => {
    const [nonce, keys, link] = rest
    const [to, cid] = [idsOf(keys), cidOf(link)]
    if (!isTuple(rest, 3) || to === undefined || cid === undefined) return undefined
    if (nonce !== null && !isNonce(nonce)) return undefined
    return { kind: 'release', nonce: nonce ?? undefined, to, cid }
  }
}

function isNonce(value: unknown): value is Uint8Array {
  return isBytesOf(value, nonceLength)
}

function idOf(key: unknown): string | undefined {
  return isBytesOf(key, publicKeyLength) ? peerIdFromPublicKey(key) : undefined
}

function idsOf(keys: unknown): string[] | undefined {
  if (!Array.isArray(keys) || keys.length > maxNamed) return undefined
  const ids = (keys as unknown[]).map(idOf)
  return ids.includes(undefined) ? undefined : (ids as string[])
}

function cidOf(link: unknown): CID | undefined {
  const cid = CID.asCID(link)
  return cid !== null && cid.byteLength <= maxCidLength ? cid : undefined
}

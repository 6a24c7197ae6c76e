import { createHash } from 'node:crypto'
import { formatAddress, parseAddress, type Address } from '../address.ts'
import { fromHex, hexOf, plain } from '../bytes.ts'
import { bdecode, bencode, type Bencoded } from './bencode.ts'

/** Every torrent that is made here has pieces of this length: each is one leaf of the file. */
export const pieceLength = 1_048_576
export const infoHashLength = 20
const hashLength = 20
const maxPieceLength = 64 * 1024 * 1024
const maxNameLength = 255
const maxPeers = 64

/** The info dictionary of a torrent with one file (BEP 3). */
export interface TorrentInfo {
  /** As it is hashed. */
  readonly bytes: Uint8Array
  /** 20 bytes. */
  readonly infoHash: Uint8Array
  readonly name: string
  readonly length: number
  readonly pieceLength: number
  /** sha1 of each piece, one after the other. */
  readonly pieces: Uint8Array
}

/** What a magnet link says (BEP 9). */
export interface Magnet {
  readonly infoHash: Uint8Array
  readonly peers: readonly Address[]
}

export function sha1(bytes: Uint8Array): Uint8Array {
  return plain(createHash('sha1').update(bytes).digest())
}

/** Equal content and name have equal torrents: nothing else goes into the hash. */
export function makeInfo(name: string, length: number, pieces: Uint8Array): TorrentInfo {
  const bytes = bencode({ length, name: plain(Buffer.from(name)), 'piece length': pieceLength, pieces })
  return { bytes, infoHash: sha1(bytes), name, length, pieceLength, pieces }
}

/** Throws `RangeError` for what is not the info of a torrent with one file. */
export function parseInfo(bytes: Uint8Array): TorrentInfo {
  const { value, end } = bdecode(bytes)
  if (end !== bytes.byteLength) throw new RangeError('something follows the info')
  const info = value as Readonly<Record<string, Bencoded | undefined>>
  if (info['files'] !== undefined)
    throw new RangeError('it has several files; only torrents with one file can be taken in')
  const { length, name, pieces, 'piece length': each } = info
  if (!(name instanceof Uint8Array) || !(pieces instanceof Uint8Array) || !isSize(length) || !isSize(each))
    throw new RangeError('it has no length, name, piece length or pieces of BitTorrent v1')
  if (each > maxPieceLength || pieces.byteLength !== Math.ceil(length / each) * hashLength)
    throw new RangeError('its pieces do not make up its length')
  return {
    bytes,
    infoHash: sha1(bytes),
    name: Buffer.from(name).toString('utf8').slice(0, maxNameLength),
    length,
    pieceLength: each,
    pieces
  }
}

function isSize(value: Bencoded | undefined): value is number {
  return typeof value === 'number' && value > 0
}

export function pieceCount({ pieces }: TorrentInfo): number {
  return pieces.byteLength / hashLength
}

/** The last piece may be shorter. */
export function pieceSize(info: TorrentInfo, index: number): number {
  return Math.min(info.pieceLength, info.length - index * info.pieceLength)
}

/** The info inside a `.torrent` file. Throws `RangeError` for what is none. */
export function infoOfFile(file: Uint8Array): TorrentInfo {
  const { value } = bdecode(file)
  const info = (value as Readonly<Record<string, Bencoded | undefined>>)['info']
  if (info === undefined) throw new RangeError('it has no info')
  // The canonical form of what was read is what was read, or the file is not canonical and its hash would be another.
  return parseInfo(bencode(info))
}

export function formatMagnet(
  { infoHash, name, length }: TorrentInfo,
  peers: readonly Address[],
  trackers: readonly URL[]
): string {
  const parts = [
    `xt=urn:btih:${hexOf(infoHash)}`,
    `dn=${encodeURIComponent(name)}`,
    `xl=${length}`,
    ...trackers.map(({ href }) => `tr=${encodeURIComponent(href)}`),
    ...peers.map((peer) => `x.pe=${encodeURIComponent(formatAddress(peer))}`)
  ]
  return `magnet:?${parts.join('&')}`
}

/** Throws `RangeError` for what is no magnet link of BitTorrent v1. */
export function parseMagnet(text: string): Magnet {
  const fields = new URLSearchParams(text.startsWith('magnet:?') ? text.slice(8) : '')
  const topic = /^urn:btih:([0-9a-f]{40}|[a-z2-7]{32})$/i.exec(fields.get('xt') ?? '')?.[1]
  if (topic === undefined) throw new RangeError('it has no xt=urn:btih:…')
  const infoHash = topic.length === 40 ? fromHex(topic) : fromBase32(topic.toLowerCase())
  const peers = fields
    .getAll('x.pe')
    .slice(0, maxPeers)
    .flatMap((peer) => parseAddress(peer) ?? [])
  return { infoHash: infoHash ?? new Uint8Array(infoHashLength), peers }
}

function fromBase32(text: string): Uint8Array {
  const bytes: number[] = []
  let bits = 0
  let held = 0
  for (const letter of text) {
    held = (held << 5) | 'abcdefghijklmnopqrstuvwxyz234567'.indexOf(letter)
    bits += 5
    if (bits < 8) continue
    bits -= 8
    bytes.push((held >> bits) & 0xff)
    held &= (1 << bits) - 1
  }
  return Uint8Array.from(bytes)
}

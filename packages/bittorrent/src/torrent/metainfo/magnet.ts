import { formatAddress, parseAddress, type Address } from '../../tools/address.ts'
import { fromHex, hexOf } from '../../tools/bytes.ts'
import type { TorrentInfo } from './info.ts'
import { UnsupportedTorrent } from './unsupported.ts'

const maxPeers = 64
const maxLength = 65_536

/** The content of a magnet link (BEP 9). */
export interface Magnet {
  readonly infoHash: Uint8Array
  readonly peers: readonly Address[]
  /** The name, chosen by the creator of the link. */
  readonly name: string | undefined
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

/**
 * Throws `RangeError` for anything that is not a magnet link, and `UnsupportedTorrent` for a link without BitTorrent
 * v1.
 */
export function parseMagnet(link: string): Magnet {
  const query = /^magnet:(?:\/\/\/?)?\?(.*)$/is.exec(link.slice(0, maxLength).trim())?.[1]
  if (query === undefined) throw new RangeError('a magnet link begins with magnet:?')
  // Links are often copied out of HTML.
  const fields = [...new URLSearchParams(query.replaceAll('&amp;', '&'))].map(([key, value]) => [
    key.toLowerCase(),
    value
  ])
  // Several topics are given as xt, or numbered as xt.1, xt.2.
  const all = (key: string): string[] =>
    fields.flatMap(([name = '', value = '']) => (name.replace(/\.\d+$/, '') === key ? [value.trim()] : []))
  const topics = all('xt')
  const infoHash = topics.map(infoHashOf).find((hash) => hash !== undefined)
  if (infoHash === undefined) {
    if (topics.some((topic) => /^urn:btmh:1220[0-9a-f]{64}$/i.test(topic)))
      throw new UnsupportedTorrent('it has a topic of BitTorrent v2 only (btmh): take a link that has btih, too')
    throw new RangeError('it has no xt=urn:btih: with 40 hexadecimal digits or 32 letters of base32')
  }
  const peers = all('x.pe')
    .slice(0, maxPeers)
    .flatMap((peer) => parseAddress(peer) ?? [])
  return { infoHash, peers, name: all('dn')[0] }
}

function infoHashOf(topic: string): Uint8Array | undefined {
  const text = /^urn:btih:([0-9a-f]{40}|[a-z2-7]{32})$/i.exec(topic)?.[1]
  if (text === undefined) return undefined
  return text.length === 40 ? fromHex(text) : fromBase32(text.toLowerCase())
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

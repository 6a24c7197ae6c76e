import * as dagCbor from '@ipld/dag-cbor'
import * as dagPb from '@ipld/dag-pb'
import type { Block } from '@p2pl/core/backend'
import { CID } from 'multiformats/cid'
import type { MultihashHasher } from 'multiformats/hashes/interface'
import { sha256, sha512 } from 'multiformats/hashes/sha2'
import * as raw from 'multiformats/codecs/raw'

export const sha2_512 = 0x13

let seeds = 0

/** Bytes that no other call returns, and that are the same in every run. */
export function uniqueBytes(length: number): Uint8Array<ArrayBuffer> {
  return seededBytes(length, ++seeds)
}

const numberWord = 'number-'

/** A payload of at least `length` bytes that contains its number. */
export function numbered(n: number, length = 0): Uint8Array {
  return new TextEncoder().encode(`${numberWord}${n}`.padEnd(length))
}

/** The number of a {@link numbered} payload, or -1. */
export function numberOf(payload: Uint8Array): number {
  const text = new TextDecoder().decode(payload)
  return text.startsWith(numberWord) ? Number(text.slice(numberWord.length)) : -1
}

/** A word that no other call returns. */
export function uniqueName(prefix: string): string {
  return `${prefix}-${++seeds}`
}

function seededBytes(length: number, seed: number): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(length)
  const view = new DataView(bytes.buffer)
  let state = Math.imul(seed, 0x9e3779b1) >>> 0
  const next = (): number => {
    state = (state + 0x6d2b79f5) >>> 0
    let t = Math.imul(state ^ (state >>> 15), 1 | state)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return (t ^ (t >>> 14)) >>> 0
  }
  let at = 0
  // The seed itself comes first, so that bytes of different seeds differ even if they are short.
  if (length >= 4) {
    view.setUint32(0, seed)
    at = 4
  }
  for (; at + 4 <= length; at += 4) view.setUint32(at, next())
  for (; at < length; at++) bytes[at] = next()
  return bytes
}

async function blockOf(code: number, bytes: Uint8Array, hasher: MultihashHasher = sha256): Promise<Block> {
  return { cid: CID.createV1(code, await hasher.digest(bytes)), bytes }
}

/** The block under a sha2-256 digest of 20 bytes. Such a digest proves nothing. */
export async function truncated({ cid, bytes }: Block): Promise<Block> {
  return { cid: CID.createV1(cid.code, await sha256.digest(bytes, { truncate: 20 })), bytes }
}

/** A raw block of bytes that no other block has. */
export async function rawBlock(length = 64, hasher: MultihashHasher = sha256): Promise<Block> {
  return await blockOf(raw.code, uniqueBytes(length), hasher)
}

export async function rawBlockOf(bytes: Uint8Array): Promise<Block> {
  return await blockOf(raw.code, bytes)
}

export async function rawBlocks(count: number, length = 64): Promise<Block[]> {
  return await Promise.all(Array.from({ length: count }, async () => await rawBlock(length)))
}

export async function rawBlock512(length = 64): Promise<Block> {
  return await rawBlock(length, sha512)
}

export async function cborBlock(links: readonly CID[]): Promise<Block> {
  return await blockOf(dagCbor.code, dagCbor.encode({ links, name: uniqueName('node') }))
}

export async function pbBlock(links: readonly CID[]): Promise<Block> {
  const node = dagPb.prepare({ Data: uniqueBytes(8), Links: links.map((Hash) => ({ Hash, Name: '', Tsize: 1 })) })
  return await blockOf(dagPb.code, dagPb.encode(node))
}

/** The same block under its version 0 CID. */
export async function pbBlockV0(links: readonly CID[]): Promise<Block> {
  const block = await pbBlock(links)
  return { cid: CID.createV0(block.cid.multihash as Parameters<typeof CID.createV0>[0]), bytes: block.bytes }
}

/** Another CID with the same multihash. */
export function alias(cid: CID, code: number): CID {
  return CID.createV1(code, cid.multihash)
}

export const dagCborCode: number = dagCbor.code

/** A diamond with a tail: the root links to two nodes that share a leaf; one of them links to a chain below it. */
export interface Dag {
  readonly root: Block
  /** Root first, every block once. */
  readonly blocks: readonly Block[]
  readonly links: ReadonlyMap<string, readonly string[]>
}

export async function diamond(): Promise<Dag> {
  const shared = await rawBlock()
  const tail = await cborBlock([])
  const left = await cborBlock([shared.cid, tail.cid])
  const right = await pbBlock([shared.cid])
  const root = await cborBlock([left.cid, right.cid])
  const links = new Map([
    [key(root.cid), [key(left.cid), key(right.cid)]],
    [key(left.cid), [key(shared.cid), key(tail.cid)]],
    [key(right.cid), [key(shared.cid)]]
  ])
  return { root, blocks: [root, left, right, shared, tail], links }
}

/** One key for a block, whichever version and codec its CID has. */
export function key(cid: CID): string {
  return alias(cid, raw.code).toString()
}

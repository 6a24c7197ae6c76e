import { compareBytes } from '../bytes.ts'
import type { Bytes } from '../bytes.ts'
import { headBytes, Malformed, Reader, Writer } from '../cbor.ts'
import { digestBytes, linkPrefix } from '../cid.ts'
import { isBoundary, isKey, keyBytes } from '../entry/key.ts'
import type { Key } from '../entry/key.ts'
import { formatVersion, maxLevels, maxNodeBytes, maxNodeItems } from '../limits.ts'

/** A node as its parent describes it. */
export interface Child {
  /** The last key below the node. */
  readonly key: Key
  readonly digest: Bytes
  /** The number of entries below the node. */
  readonly count: number
}

/** Bounds of a node: those of the format, or smaller ones in tests. */
export interface Shape {
  readonly maxBytes: number
  readonly maxItems: number
}

export const standardShape: Shape = { maxBytes: maxNodeBytes, maxItems: maxNodeItems }

/** The number of bytes that an item adds to its node. */
export function leafItemBytes(entry: Uint8Array): number {
  return headBytes(entry.length) + entry.length
}

export function innerItemBytes(child: Child): number {
  return 1 + 2 + keyBytes + linkPrefix.length + digestBytes + headBytes(child.count)
}

export function encodeLeaf(entries: readonly Bytes[]): Bytes {
  let size = 16
  for (const entry of entries) size += leafItemBytes(entry)
  const writer = new Writer(size).array(3).uint(formatVersion).uint(0).array(entries.length)
  for (const entry of entries) writer.bytes(entry)
  return writer.end()
}

export function encodeInner(level: number, children: readonly Child[]): Bytes {
  const writer = new Writer(children.length * 104 + 16).array(3).uint(formatVersion).uint(level).array(children.length)
  for (const child of children) writer.array(3).bytes(child.key).link(child.digest).uint(child.count)
  return writer.end()
}

export type IndexNode =
  | { readonly level: 0; readonly entries: readonly Bytes[] }
  | { readonly level: number; readonly children: readonly Child[] }

export function isLeaf(node: IndexNode): node is Extract<IndexNode, { level: 0 }> {
  return node.level === 0
}

/**
 * Decodes a node and checks its form, which includes the bounds, and the order and boundaries of the keys of inner
 * nodes. Throws `Malformed`. The keys of leaves follow from the hashes of their entries, so the code that hashes the
 * entries checks them. The result shares memory with `bytes`.
 */
export function decodeNode(bytes: Bytes): IndexNode {
  const reader = new Reader(bytes)
  reader.exactArray(3)
  if (reader.uint() !== formatVersion) throw new Malformed('node of another version')
  const level = reader.uint()
  if (level > maxLevels) throw new Malformed(`level ${level}, at most ${maxLevels}`)
  const count = reader.array(maxNodeItems)
  if (level === 0) {
    const entries: Bytes[] = []
    for (let i = 0; i < count; i++) entries.push(reader.bytes(maxNodeBytes))
    reader.end()
    return { level: 0, entries }
  }
  const children: Child[] = []
  for (let i = 0; i < count; i++) {
    reader.exactArray(3)
    const key = reader.exactBytes(keyBytes)
    const digest = reader.link()
    const below = reader.uint()
    if (!isKey(key) || below < 1) throw new Malformed('bad child')
    const previous = children[i - 1]
    if (previous !== undefined && compareBytes(previous.key, key) >= 0) throw new Malformed('children out of order')
    if (i < count - 1 && isBoundary(key, level)) throw new Malformed('boundary inside a node')
    children.push({ key, digest, count: below })
  }
  reader.end()
  if (children.length === 0) throw new Malformed('inner node without children')
  return { level, children }
}

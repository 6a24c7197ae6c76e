import { concatBytes, writeUint64 } from '../bytes.ts'
import type { Bytes } from '../bytes.ts'

// The first byte of a key in the store is its table. A newer version reads the folders of older ones, so add tables,
// but never change one.
const table = {
  format: 0,
  count: 1,
  entry: 2,
  clock: 3,
  head: 4,
  dirty: 5,
  node: 6,
  served: 7,
  author: 8,
  borrowed: 9,
  arrival: 10
} as const

export type TableName = keyof typeof table

export const formatKey: Bytes = Uint8Array.of(table.format)
export const countKey: Bytes = Uint8Array.of(table.count)

export function tableKey(name: TableName, key: Uint8Array): Bytes {
  const bytes = new Uint8Array(1 + key.length)
  bytes[0] = table[name]
  bytes.set(key, 1)
  return bytes
}

export function withoutTable(key: Uint8Array): Bytes {
  return concatBytes(key.subarray(1))
}

/** A bound before all keys of the table. */
export function tableStart(name: TableName): Bytes {
  return Uint8Array.of(table[name])
}

/** A bound after all keys of the table. */
export function tableEnd(name: TableName): Bytes {
  return Uint8Array.of(table[name] + 1)
}

/** The key of an index node, from its level and its last key. */
export function nodeKey(level: number, key: Uint8Array): Bytes {
  const bytes = new Uint8Array(2 + key.length)
  bytes[0] = table.node
  bytes[1] = level
  bytes.set(key, 2)
  return bytes
}

export function levelStart(level: number): Bytes {
  return Uint8Array.of(table.node, level)
}

export function levelEnd(level: number): Bytes {
  return Uint8Array.of(table.node, level + 1)
}

/** The key of a row, from the place of its last entry in the order in which entries were written here, from 1. */
export function arrivalKey(position: number): Bytes {
  const bytes = new Uint8Array(9)
  bytes[0] = table.arrival
  writeUint64(bytes, position, 1)
  return bytes
}

/** A note of keys whose nodes have to be rebuilt, in the order of writing. */
export function dirtyKey(level: number, sequence: number): Bytes {
  const bytes = new Uint8Array(10)
  bytes[0] = table.dirty
  bytes[1] = level
  writeUint64(bytes, sequence, 2)
  return bytes
}

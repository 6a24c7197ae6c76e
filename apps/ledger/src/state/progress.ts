import * as dagCbor from '@ipld/dag-cbor'
import { bytesOf, type Key, textOf } from './keys.ts'

/** How far the state has come. It is written together with the results. */
export interface Progress {
  /** The order of writing that the place belongs to. */
  readonly store: string
  /** The last counted entry, by its place and its key. */
  readonly place: number
  readonly last: Key
  readonly entries: number
  readonly rejected: number
  /** The number of contents that records name, and of those that this node has no copy of. */
  readonly documents: number
  readonly missing: number
  /** Unfinished work: lines of accounts to count again, and approvals being passed down. */
  readonly marks: readonly (readonly [account: string, key: Key, own: boolean])[]
  readonly open: readonly (readonly [key: Key, bits: number])[]
}

export function startOf(store: string): Progress {
  return { store, place: 0, last: '', entries: 0, rejected: 0, documents: 0, missing: 0, marks: [], open: [] }
}

export function encodeProgress(progress: Progress): Uint8Array {
  const { last, marks, open } = progress
  return dagCbor.encode({
    ...progress,
    last: bytesOf(last),
    marks: marks.map(([account, key, own]) => [account, bytesOf(key), own]),
    open: open.map(([key, bits]) => [bytesOf(key), bits])
  })
}

export function decodeProgress(bytes: Uint8Array): Progress {
  const stored = dagCbor.decode<Omit<Progress, 'last' | 'marks' | 'open'> & Stored>(bytes)
  return {
    ...stored,
    last: textOf(stored.last),
    marks: stored.marks.map(([account, key, own]) => [account, textOf(key), own]),
    open: stored.open.map(([key, bits]) => [textOf(key), bits])
  }
}

interface Stored {
  readonly last: Uint8Array
  readonly marks: readonly (readonly [string, Uint8Array, boolean])[]
  readonly open: readonly (readonly [Uint8Array, number])[]
}

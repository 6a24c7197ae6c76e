import type { Bytes } from '../bytes.ts'
import { keyBytes } from '../entry/key.ts'
import type { Key } from '../entry/key.ts'
import type { Operation } from './database.ts'
import { arrivalKey } from './keys.ts'
import type { Committed } from './store.ts'

export interface Arrival {
  /** The place of the entry in the order in which entries were written here, from 1. */
  readonly position: number
  readonly live: boolean
  readonly key: Key
}

/**
 * Entries per row of the order of writing. A row for each entry would be a third of all operations of a catch-up, and
 * an unbounded row would be read again for each batch that a reader takes.
 */
const rowEntries = 256
const itemBytes = 1 + keyBytes

/**
 * Adds the rows of a batch that is written after `arrived` earlier entries. The key of a row is the place of its last
 * entry.
 */
export function encodeArrivals(arrived: number, batch: readonly Committed[], operations: Operation[]): void {
  for (let from = 0; from < batch.length; from += rowEntries) {
    const some = batch.slice(from, from + rowEntries)
    const value = new Uint8Array(some.length * itemBytes)
    for (const [i, { entry, live = false }] of some.entries()) {
      value[i * itemBytes] = live ? 1 : 0
      value.set(entry.key, i * itemBytes + 1)
    }
    operations.push({ type: 'put', key: arrivalKey(arrived + from + some.length), value })
  }
}

/** The entries of a row that come after the place. */
export function arrivalsOf(last: number, value: Bytes, after: number): Arrival[] {
  const arrivals: Arrival[] = []
  const before = last - value.length / itemBytes
  for (let position = Math.max(before, after) + 1; position <= last; position++) {
    const at = (position - before - 1) * itemBytes
    arrivals.push({ position, live: value[at] === 1, key: value.slice(at + 1, at + itemBytes) })
  }
  return arrivals
}

import type { EntryRecord } from '../entry/codec.ts'
import type { Committed } from './store.ts'

/** The most entries that are kept, and the most bytes of them. */
const most = { entries: 256, bytes: 1_048_576 } as const
/**
 * A larger batch comes from a view that catches up. No reader keeps up with it, so keeping its entries would only cost
 * time.
 */
const largestBatch = 64

/** An entry and its place in the order of writing. */
export interface RecentEntry {
  readonly position: number
  readonly entry: EntryRecord
}

/** The entries that were written last. A reader that keeps up with the order of writing needs no read of the store. */
export class RecentEntries {
  #entries: RecentEntry[] = []
  #bytes = 0

  /** Adds a batch that was written after `arrived` earlier entries. */
  add(arrived: number, batch: readonly Committed[]): void {
    if (batch.length > largestBatch) {
      this.#entries = []
      this.#bytes = 0
      return
    }
    for (const [i, { entry }] of batch.entries()) {
      // A copy in its own memory: an entry that is kept must not keep the leaf that it came in.
      this.#entries.push({ position: arrived + i + 1, entry: entry.owned() })
      this.#bytes += entry.bytes.length
    }
    let gone = 0
    while (this.#entries.length - gone > most.entries || this.#bytes > most.bytes)
      this.#bytes -= (this.#entries[gone++] as RecentEntry).entry.bytes.length
    if (gone > 0) this.#entries.splice(0, gone)
  }

  /** Up to `limit` entries after the place; `undefined` if the first of them is no longer kept. */
  after(place: number, limit: number): readonly RecentEntry[] | undefined {
    const [first] = this.#entries
    if (first === undefined || place + 1 < first.position) return undefined
    const begin = place + 1 - first.position
    return this.#entries.slice(begin, begin + limit)
  }
}

import type { EntryRecord } from '../entry/codec.ts'
import type { Committed } from './store.ts'

/** Entries that are kept at most, and their bytes. */
const most = { entries: 256, bytes: 1_048_576 } as const
/** A larger batch is that of a view that catches up. Nobody keeps up with it, and keeping its entries would cost it time. */
const largestBatch = 64

/** An entry and its place in the order of writing. */
export interface RecentEntry {
  readonly position: number
  readonly entry: EntryRecord
}

/** The entries that were written last: who follows the order of writing as it grows needs no read of the store. */
export class RecentEntries {
  #entries: RecentEntry[] = []
  #bytes = 0

  /** Entries that were written behind so many others. */
  add(arrived: number, batch: readonly Committed[]): void {
    if (batch.length > largestBatch) {
      this.#entries = []
      this.#bytes = 0
      return
    }
    for (const [i, { entry }] of batch.entries()) {
      // In memory of its own: an entry that is kept must not keep the leaf that it came in.
      this.#entries.push({ position: arrived + i + 1, entry: entry.owned() })
      this.#bytes += entry.bytes.length
    }
    let gone = 0
    while (this.#entries.length - gone > most.entries || this.#bytes > most.bytes)
      this.#bytes -= (this.#entries[gone++] as RecentEntry).entry.bytes.length
    if (gone > 0) this.#entries.splice(0, gone)
  }

  /** Up to so many entries behind the place; `undefined` where the first of them is not kept any more. */
  after(place: number, limit: number): readonly RecentEntry[] | undefined {
    const [first] = this.#entries
    if (first === undefined || place + 1 < first.position) return undefined
    const begin = place + 1 - first.position
    return this.#entries.slice(begin, begin + limit)
  }
}

import { Heap } from '@p2pl/core/backend'
import type { Key } from './keys.ts'
import type { EntryRow } from './rows.ts'
import type { Table } from './table.ts'

/**
 * Counts confirmations as entries arrive, parents before children. A witness's bit is passed down until it reaches an
 * entry that has it: everything below has it too, or will get it. So each entry gets each bit only once.
 */
export class Approvals {
  readonly #entries: Table<EntryRow>
  readonly #bits: ReadonlyMap<string, number>
  readonly #onConfirmed: (key: Key) => void
  /** Bits being passed down, by the entries that get them next. */
  readonly open: Map<Key, number> = new Map()
  /** The last in canonical order first, so that bits that meet continue together. */
  readonly #order = new Heap<Key>((a, b) => a > b)

  constructor(
    entries: Table<EntryRow>,
    witnesses: readonly string[],
    onConfirmed: (key: Key) => void,
    open: Iterable<readonly [Key, number]>
  ) {
    this.#entries = entries
    this.#bits = new Map(witnesses.map((account, i) => [account, 1 << i]))
    this.#onConfirmed = onConfirmed
    for (const [key, bits] of open) this.#hand(key, bits)
  }

  add(author: string, parents: readonly Key[]): void {
    const bit = this.#bits.get(author)
    if (bit !== undefined) for (const parent of parents) this.#hand(parent, bit)
  }

  /** Passes bits down, to at most this many entries. */
  async settle(most: number): Promise<void> {
    for (let left = most; left > 0; left--) {
      const key = this.#order.pop()
      if (key === undefined) return
      const row = await this.#entries.get(key)
      const bits = (this.open.get(key) ?? 0) & ~(row?.approvedBy ?? 0)
      this.open.delete(key)
      if (row === undefined || bits === 0) continue
      this.#entries.put(key, { ...row, approvedBy: row.approvedBy | bits })
      this.#onConfirmed(key)
      for (const parent of row.parents) this.#hand(parent, bits)
    }
  }

  #hand(key: Key, bits: number): void {
    const waiting = this.open.get(key)
    if (waiting === undefined) this.#order.push(key)
    this.open.set(key, (waiting ?? 0) | bits)
  }
}

/** The number of witnesses that approve an entry. */
export function confirmationsOf(approvedBy: number): number {
  let count = 0
  for (let rest = approvedBy; rest !== 0; rest &= rest - 1) count++
  return count
}

import { equalBytes } from '../bytes.ts'
import { vouchingReach } from '../limits.ts'
import type { EntryRecord } from './codec.ts'

/*
 * An entry names its author's previous entry, so a signature vouches for the entries below it on the chain, too: it covers their CIDs,
 * and with them all their bytes. An entry is *proven* if its own signature is right, or if an entry of the view that names it as
 * previous, by the same author, is proven by a signature no more than `vouchingReach` clocks above it.
 */

/** Whether the later entry names the other as the previous one of its author. The other's author is known only here. */
export function follows(later: EntryRecord, earlier: EntryRecord): boolean {
  return later.previousId === earlier.id && equalBytes(later.author, earlier.author)
}

/** For each entry, by id, the entry that names it as previous and has the lowest clock of a signature that proves it, and that clock. */
class Vouchers {
  readonly #vouchers: Map<string, { readonly entry: EntryRecord; readonly clock: number }> = new Map()

  /** The clock of a signature above the entry that proves it. */
  of(entry: EntryRecord): number | undefined {
    const found = this.#vouchers.get(entry.id)
    if (found === undefined || found.clock > entry.clock + vouchingReach) return undefined
    return follows(found.entry, entry) ? found.clock : undefined
  }

  /** The entry is proven by a signature of this clock, and so is the one below it. */
  add(entry: EntryRecord, clock: number): void {
    if (entry.previousId === undefined) return
    const other = this.#vouchers.get(entry.previousId)
    if (other === undefined || clock < other.clock) this.#vouchers.set(entry.previousId, { entry, clock })
  }
}

/** Of entries in canonical order, those whose signatures prove all of them if they are right: the last of each chain, and one in each reach. */
export function proversOf(entries: readonly EntryRecord[]): EntryRecord[] {
  const provers: EntryRecord[] = []
  const vouchers = new Vouchers()
  for (let i = entries.length - 1; i >= 0; i--) {
    const entry = entries[i] as EntryRecord
    const clock = vouchers.of(entry)
    if (clock === undefined) provers.push(entry)
    vouchers.add(entry, clock ?? entry.clock)
  }
  return provers
}

/** Of entries in canonical order, how many there are before the first that is not proven. `isRight`: whether its own signature is right. */
export function provenBefore(entries: readonly EntryRecord[], isRight: (entry: EntryRecord) => boolean): number {
  const vouchers = new Vouchers()
  let proven = entries.length
  for (let i = entries.length - 1; i >= 0; i--) {
    const entry = entries[i] as EntryRecord
    const clock = isRight(entry) ? entry.clock : vouchers.of(entry)
    if (clock === undefined) proven = i
    else vouchers.add(entry, clock)
  }
  return proven
}

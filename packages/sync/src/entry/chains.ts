import { equalBytes } from '../bytes.ts'
import { vouchingReach } from '../limits.ts'
import type { EntryRecord } from './codec.ts'

/*
 * An entry names its author's previous entry, so its signature also vouches for the entries below it on the chain: it
 * covers their CIDs, and with them all their bytes. An entry is *proven* if its own signature is right. It is also
 * proven if an entry of the view by the same author names it as previous, and that entry is proven by a signature no
 * more than `vouchingReach` clocks above this one.
 */

/**
 * Whether the later entry names the other one as its author's previous entry. The author of the other one is known only
 * here.
 */
export function follows(later: EntryRecord, earlier: EntryRecord): boolean {
  return later.previousId === earlier.id && equalBytes(later.author, earlier.author)
}

/**
 * For each entry, by id: the entry that names it as previous and is proven by the signature with the lowest clock, and
 * that clock.
 */
class Vouchers {
  readonly #vouchers: Map<string, { readonly entry: EntryRecord; readonly clock: number }> = new Map()

  /** The clock of a later signature that proves the entry. */
  of(entry: EntryRecord): number | undefined {
    const found = this.#vouchers.get(entry.id)
    if (found === undefined || found.clock > entry.clock + vouchingReach) return undefined
    return follows(found.entry, entry) ? found.clock : undefined
  }

  /** The entry is proven by a signature of this clock, and so is the previous entry on its chain. */
  add(entry: EntryRecord, clock: number): void {
    if (entry.previousId === undefined) return
    const other = this.#vouchers.get(entry.previousId)
    if (other === undefined || clock < other.clock) this.#vouchers.set(entry.previousId, { entry, clock })
  }
}

/**
 * Takes entries in canonical order. Returns those whose signatures, if right, prove all of them: the last entry of each
 * chain, and one per reach.
 */
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

/**
 * Takes entries in canonical order. Returns the number of entries before the first one that is not proven. `isRight`:
 * whether the entry's own signature is right.
 */
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

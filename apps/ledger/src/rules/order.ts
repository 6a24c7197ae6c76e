import type { CID } from 'multiformats/cid'

/** What an entry's place depends on. */
export interface Ordered {
  readonly cid: CID
  readonly clock: number
}

/**
 * The canonical order: clock, then the bytes of the CID. It extends "approves" (an entry's clock is larger than those of
 * its parents), and it is the same everywhere whatever the order of arrival.
 */
export function compareEntries(a: Ordered, b: Ordered): number {
  if (a.clock !== b.clock) return a.clock - b.clock
  return Buffer.compare(a.cid.bytes, b.cid.bytes)
}

/** Where `entry` stands, or would stand, in a list that is in canonical order. */
export function positionOf(list: readonly Ordered[], entry: Ordered): number {
  const last = list.at(-1)
  if (last === undefined || compareEntries(last, entry) < 0) return list.length
  let low = 0
  let high = list.length
  while (low < high) {
    const middle = (low + high) >>> 1
    const other = list[middle]
    if (other !== undefined && compareEntries(other, entry) < 0) low = middle + 1
    else high = middle
  }
  return low
}

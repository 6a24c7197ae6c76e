import type { EntryView } from '@p2pl/ledger'

/** The kinds of entries, numbered as in the palette. */
const [waiting, confirmed, rejected] = [0, 1, 2]

/**
 * The graph as it is drawn: clocks from left to right, one lane per author. No forces are simulated, so it looks the
 * same everywhere.
 */
export interface Layout {
  /** Ordered by clock. */
  readonly entries: readonly EntryView[]
  readonly lanes: readonly string[]
  readonly clock: Float64Array
  readonly lane: Uint16Array
  /** Entries of one author with the same clock are drawn below each other. */
  readonly slot: Uint8Array
  /** 0 waiting, 1 confirmed, 2 rejected. */
  readonly kind: Uint8Array
  readonly isTip: Uint8Array
  /** The parents of entry `i` are in `parents` from `starts[i]` up to `starts[i + 1]`. */
  readonly starts: Uint32Array
  readonly parents: Uint32Array
  readonly firstClock: number
  readonly lastClock: number
}

export function layoutOf(all: Iterable<EntryView>, first: readonly string[]): Layout {
  const entries = [...all].sort((a, b) => a.clock - b.clock || (a.cid < b.cid ? -1 : 1))
  const count = entries.length
  const lanes = [...new Set([...first, ...entries.map(({ author }) => author).toSorted()])]
  const laneOf = new Map(lanes.map((author, i) => [author, i]))
  const indexOf = new Map(entries.map(({ cid }, i) => [cid, i]))
  const [clock, lane, slot] = [new Float64Array(count), new Uint16Array(count), new Uint8Array(count)]
  const [kind, isTip, starts] = [new Uint8Array(count), new Uint8Array(count).fill(1), new Uint32Array(count + 1)]
  const parents: number[] = []
  const last = new Map<string, { clock: number; slot: number }>()
  for (const [i, entry] of entries.entries()) {
    const before = last.get(entry.author)
    const place = before?.clock === entry.clock ? Math.min(before.slot + 1, 255) : 0
    last.set(entry.author, { clock: entry.clock, slot: place })
    clock[i] = entry.clock
    lane[i] = laneOf.get(entry.author) ?? 0
    slot[i] = place
    kind[i] = entry.status === 'rejected' ? rejected : entry.confirmations > 0 ? confirmed : waiting
    for (const parent of entry.parents) {
      const at = indexOf.get(parent)
      if (at === undefined) continue
      parents.push(at)
      isTip[at] = 0
    }
    starts[i + 1] = parents.length
  }
  return {
    entries,
    lanes,
    clock,
    lane,
    slot,
    kind,
    isTip,
    starts,
    parents: Uint32Array.from(parents),
    firstClock: entries[0]?.clock ?? 0,
    lastClock: entries.at(-1)?.clock ?? 1
  }
}

/** The index of the first entry with at least this clock. */
export function firstFrom({ clock }: Layout, least: number): number {
  let [low, high] = [0, clock.length]
  while (low < high) {
    const middle = (low + high) >>> 1
    if ((clock[middle] ?? 0) < least) low = middle + 1
    else high = middle
  }
  return low
}

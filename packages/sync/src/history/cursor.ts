/**
 * What a subscription has delivered of a store: everything up to a place in the order of writing, except a few messages
 * that wait for their payloads. As text: `<store>.<through>`, followed by `.<open>,<open>-<open>` if there are any such
 * messages.
 */
export interface Cursor {
  readonly store: string
  readonly through: number
  /** Ascending, each at most `through`. */
  readonly open: readonly number[]
}

export function formatCursor({ store, through, open }: Cursor): string {
  if (open.length === 0) return `${store}.${through}`
  const ranges: string[] = []
  for (let i = 0; i < open.length;) {
    const first = i
    while (open[i + 1] === (open[i] as number) + 1) i++
    ranges.push(first === i ? `${open[i]}` : `${open[first]}-${open[i]}`)
    i++
  }
  return `${store}.${through}.${ranges.join(',')}`
}

const form = /^([0-9a-f]{16})\.(\d{1,15})(?:\.([\d,-]+))?$/

/** Returns `undefined` for a text that is not a cursor or has more than `maxOpen` open places. */
export function parseCursor(text: string, maxOpen: number): Cursor | undefined {
  const match = form.exec(text)
  if (match === null) return undefined
  const [, store, end, ranges] = match as unknown as [string, string, string, string | undefined]
  const through = Number(end)
  const open: number[] = []
  for (const range of ranges === undefined ? [] : ranges.split(',')) {
    const [first = NaN, last = first, ...more] = range.split('-').map((place) => (place === '' ? NaN : Number(place)))
    const before = open.at(-1) ?? 0
    if (more.length > 0 || !(first > before && last >= first && last <= through)) return undefined
    if (open.length + last - first >= maxOpen) return undefined
    for (let place = first; place <= last; place++) open.push(place)
  }
  return { store, through, open }
}

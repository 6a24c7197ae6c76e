import type { Session } from './session.ts'
import type { Database, Range } from './types.ts'

const firstItems = 64
const moreItems = 256

/** A range in the form that abstract-level takes: without keys that are `undefined`. */
export type Bounds = { -readonly [K in keyof Range]?: NonNullable<Range[K]> }

export interface Cursor<T> {
  nextv(size: number): Promise<T[]>
  close(): Promise<void>
}

/** Continues after the last item when the database is reopened during the iteration. */
export async function* iterate<T>(
  session: Session,
  range: Range,
  open: (database: Database, rest: Bounds) => Cursor<T>,
  keyOf: (item: T) => Uint8Array
): AsyncGenerator<T[], void, undefined> {
  let rest: Bounds = Object.fromEntries(Object.entries(range).filter(([, value]) => value !== undefined))
  let cursor: Cursor<T> | undefined
  let epoch = 0
  try {
    // Starts with a few items: most reads want only the neighbour of a key.
    for (let size = firstItems; rest.limit !== 0; size = moreItems) {
      const items = await session.use(async (database) => {
        if (cursor === undefined || epoch !== session.epoch) {
          epoch = session.epoch
          cursor = open(database, rest)
        }
        return await cursor.nextv(size)
      })
      const last = items.at(-1)
      if (last === undefined) return
      yield items
      rest = restOf(rest, keyOf(last), items.length)
    }
  } finally {
    await cursor?.close()
  }
}

function restOf(bounds: Bounds, last: Uint8Array, seen: number): Bounds {
  const { gt, gte, lt, lte, ...rest } = bounds
  if (rest.limit !== undefined) rest.limit -= seen
  if (rest.reverse === true) return { ...rest, ...(gt && { gt }), ...(gte && { gte }), lt: last }
  return { ...rest, gt: last, ...(lt && { lt }), ...(lte && { lte }) }
}

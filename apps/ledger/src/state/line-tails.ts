import { BoundedMap } from '@p2pl/core/backend'
import type { Key } from './keys.ts'
import type { Line } from './rows.ts'

/** How many accounts keep their last lines in memory, and how many lines each. */
const most = { accounts: 256, lines: 64 } as const

/** Whether a line comes before or after all others of its account. */
export interface Place {
  readonly isFirst: boolean
  readonly isLast: boolean
}

interface Tail {
  /** In canonical order: all lines of the account from the first of these on. */
  readonly lines: [Key, Line][]
  /** Whether the first of these is the first of the account. */
  whole: boolean
}

/**
 * The last lines of recently used accounts. Entries of peers that write at the same time arrive slightly out of order.
 * The line before such an entry, and the lines to count again after it, are found here without reading the store.
 */
export class LineTails {
  readonly #tails = new BoundedMap<string, Tail>(most.accounts)

  /** A line was written. */
  put(account: string, key: Key, line: Line, { isFirst, isLast }: Place): void {
    const tail = this.#tails.touch(account)
    if (tail === undefined) {
      if (isLast) this.#tails.set(account, { lines: [[key, line]], whole: isFirst })
      return
    }
    const { lines } = tail
    const at = firstFrom(lines, key)
    if (lines[at]?.[0] === key) lines[at] = [key, line]
    else if (at > 0 || tail.whole) lines.splice(at, 0, [key, line])
    if (lines.length <= most.lines) return
    lines.splice(0, most.lines / 2)
    tail.whole = false
  }

  /** The line before a key; `undefined` if the account has none, and `unknown` if the store has to be asked. */
  before(account: string, key: Key): Line | undefined | 'unknown' {
    const tail = this.#tails.get(account)
    if (tail === undefined) return 'unknown'
    const line = tail.lines[firstFrom(tail.lines, key) - 1]?.[1]
    return line ?? (tail.whole ? undefined : 'unknown')
  }

  /** Up to `limit` lines from a key on; `undefined` if the store has to be asked. */
  from(account: string, key: Key, limit: number): [Key, Line][] | undefined {
    const tail = this.#tails.get(account)
    if (tail === undefined) return undefined
    const at = firstFrom(tail.lines, key)
    return at > 0 || tail.whole || tail.lines[0]?.[0] === key ? tail.lines.slice(at, at + limit) : undefined
  }
}

/** The index of the first line that is not before the key. It is usually near the end. */
function firstFrom(lines: readonly [Key, Line][], key: Key): number {
  let at = lines.length
  while (at > 0 && (lines[at - 1] as [Key, Line])[0] >= key) at--
  return at
}

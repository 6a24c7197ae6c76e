import type { Standing } from '../rules/outcome.ts'
import type { Key } from './keys.ts'
import type { Line } from './rows.ts'
import type { Table } from './table.ts'

interface Range {
  readonly from: string
  readonly to: string
  /** Characters of a row's key before the key of the entry. */
  readonly prefix: number
}

const [fewest, most] = [16, 512]

/** The lines of one account that are being counted: read some at a time, more the longer it goes on. */
export class LinesAhead {
  readonly #table: Table<Line>
  readonly #range: Range
  #lines: [Key, Line][] = []
  #at = 0
  #from: string
  #size = fewest
  #ended = false
  /** How the account stands before the next line. */
  before: Standing
  /** The line that was counted last. */
  last: Key | undefined

  constructor(table: Table<Line>, range: Range, before: Standing) {
    this.#table = table
    this.#range = range
    this.#from = range.from
    this.before = before
  }

  async next(): Promise<[Key, Line] | undefined> {
    if (this.#at === this.#lines.length && !this.#ended) await this.#read()
    return this.#lines[this.#at]
  }

  counted({ balance, next }: Line): void {
    this.before = { balance, next }
    this.last = this.#lines[this.#at++]?.[0]
  }

  /** The line has changed. False where it is not the next one, so that it must be read again. */
  replace(key: Key, line: Line): boolean {
    const next = this.#lines[this.#at]
    if (next?.[0] !== key) return false
    next[1] = line
    return true
  }

  async #read(): Promise<void> {
    const { to, prefix } = this.#range
    this.#lines = []
    this.#at = 0
    let last = this.#from
    for await (const [row, line] of this.#table.scan({ from: this.#from, to, limit: this.#size })) {
      this.#lines.push([row.slice(prefix), line])
      last = `${row}\0`
    }
    this.#from = last
    this.#ended = this.#lines.length < this.#size
    this.#size = Math.min(2 * this.#size, most)
  }
}

import type { Standing } from '../rules/outcome.ts'
import type { Key } from './keys.ts'
import type { Line } from './rows.ts'

const [fewest, most] = [16, 512]

/** The lines of one account during counting. They are read in batches that grow while counting continues. */
export class LinesAhead {
  /** Up to `limit` lines from a key on. */
  readonly #readFrom: (key: Key, limit: number) => Promise<[Key, Line][]>
  #lines: [Key, Line][] = []
  #at = 0
  #from: Key
  #size = fewest
  #ended = false
  /** The state of the account before the next line. */
  before: Standing
  /** The line that was counted last. */
  last: Key | undefined

  constructor(readFrom: (key: Key, limit: number) => Promise<[Key, Line][]>, from: Key, before: Standing) {
    this.#readFrom = readFrom
    this.#from = from
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

  /** The line has changed. Returns false if it is not the next one, so that it must be read again. */
  replace(key: Key, line: Line): boolean {
    const next = this.#lines[this.#at]
    if (next?.[0] !== key) return false
    next[1] = line
    return true
  }

  async #read(): Promise<void> {
    this.#lines = (await this.#readFrom(this.#from, this.#size)).map(([key, line]) => [key, line])
    this.#at = 0
    const last = this.#lines.at(-1)?.[0]
    if (last !== undefined) this.#from = `${last}\0`
    this.#ended = this.#lines.length < this.#size
    this.#size = Math.min(2 * this.#size, most)
  }
}

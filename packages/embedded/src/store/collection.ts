import type { Table } from './table.ts'

/**
 * Adds up what a garbage collection removes. The space is given back at its end, because until then its iterator holds
 * the files.
 */
export class Collection {
  readonly #table: Table
  #from: Uint8Array | undefined
  #to: Uint8Array | undefined
  #bytes = 0

  constructor(table: Table) {
    this.#table = table
  }

  /** This many of these neighbouring keys were removed. */
  async removed(keys: readonly Uint8Array[], removed: number): Promise<void> {
    const [from, to] = [keys[0], keys.at(-1)]
    if (from === undefined || to === undefined || removed === 0) return
    this.#from ??= from
    this.#to = to
    this.#bytes += ((await this.#table.size(from, to)) * removed) / keys.length
  }

  end(): void {
    if (this.#from !== undefined && this.#to !== undefined) this.#table.reclaim(this.#from, this.#to, this.#bytes)
  }
}

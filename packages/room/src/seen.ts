/** Numbers that are further back than this count as seen. */
const width = 1_024

/** The numbers of one stay that have arrived: a window that ends at the highest. */
export class Seen {
  #highest = -1
  readonly #numbers = new Set<number>()

  /** Returns false when the number was there before, or is too old to tell. */
  add(n: number): boolean {
    if (n <= this.#highest - width || this.#numbers.has(n)) return false
    this.#numbers.add(n)
    this.#highest = Math.max(this.#highest, n)
    if (this.#numbers.size > 2 * width) {
      for (const old of this.#numbers) if (old <= this.#highest - width) this.#numbers.delete(old)
    }
    return true
  }
}

const generationSize = 65_536
/** One peer keeps messages for a minute, and a peer that missed them for another minute. */
const generationMs = 120_000

/** Ids seen in the last two to four minutes, or among the last 65,536 to 131,072. */
export class Seen {
  #young = new Set<string>()
  #old = new Set<string>()
  #born: number = performance.now()

  has(id: string): boolean {
    return this.#young.has(id) || this.#old.has(id)
  }

  /** Returns whether the id is new. */
  add(id: string): boolean {
    if (this.has(id)) return false
    const now = performance.now()
    if (this.#young.size >= generationSize || now - this.#born > generationMs) {
      this.#old = this.#young
      this.#young = new Set()
      this.#born = now
    }
    this.#young.add(id)
    return true
  }
}

/** The processor time that a changing set of processes has used, in milliseconds. */
export class CpuMeter {
  readonly #running = new Set<() => Promise<number>>()
  #ended = 0

  /** Counts a process; gives the function to call right before its end. */
  add(usage: () => Promise<number>): () => Promise<void> {
    this.#running.add(usage)
    return async () => {
      if (!this.#running.has(usage)) return
      const last = await usage().catch(() => 0)
      if (this.#running.delete(usage)) this.#ended += last
    }
  }

  async total(): Promise<number> {
    const running = await Promise.all([...this.#running].map((usage) => usage()))
    return running.reduce((sum, one) => sum + one, this.#ended)
  }
}

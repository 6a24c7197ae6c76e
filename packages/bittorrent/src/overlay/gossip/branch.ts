/** Publishers about whom a link is remembered to differ from its rule; then all is learnt anew. */
const maxExceptions = 1_024

/** How messages go to one peer: at once (eager) or as an id (lazy), by rule and by publisher. */
export class Branch {
  /** The rule. */
  readonly eager: boolean
  readonly #exceptions = new Set<string>()

  constructor(eager: boolean) {
    this.eager = eager
  }

  isEager(origin: string): boolean {
    return this.eager !== this.#exceptions.has(origin)
  }

  set(origin: string, eager: boolean): void {
    if (eager === this.eager) {
      this.#exceptions.delete(origin)
      return
    }
    if (this.#exceptions.size >= maxExceptions) this.#exceptions.clear()
    this.#exceptions.add(origin)
  }
}

/**
 * The most publishers for which a link may differ from its rule. Beyond that, all exceptions are forgotten and learned
 * again.
 */
const maxExceptions = 1_024

/** How messages go to one peer: in full (eager) or as an id (lazy), by a rule with exceptions per publisher. */
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

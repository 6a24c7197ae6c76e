/** Wakes one loop: what it waits for is looked at again after each ring. */
export class Bell {
  #next: PromiseWithResolvers<void> = Promise.withResolvers()

  /** Resolves at the next ring. Ask before looking, so that no ring is missed in between. */
  get rung(): Promise<void> {
    return this.#next.promise
  }

  ring(): void {
    this.#next.resolve()
    this.#next = Promise.withResolvers()
  }
}

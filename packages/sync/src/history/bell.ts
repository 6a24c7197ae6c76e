/** Wakes one loop, which checks its condition again after each ring. */
export class Bell {
  #next: PromiseWithResolvers<void> = Promise.withResolvers()

  /** Resolves at the next ring. Read it before you check the condition, so that you miss no ring in between. */
  get rung(): Promise<void> {
    return this.#next.promise
  }

  ring(): void {
    this.#next.resolve()
    this.#next = Promise.withResolvers()
  }
}

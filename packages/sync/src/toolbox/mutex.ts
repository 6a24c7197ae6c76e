/** Runs one piece of work after another, in the order of the calls. */
export class Mutex {
  #last: Promise<unknown> = Promise.resolve()

  async run<T>(work: () => Promise<T>): Promise<T> {
    const result = this.#last.then(work, work)
    // Whoever waits behind does not care how this one ended; its caller does.
    this.#last = result.then(
      () => undefined,
      () => undefined
    )
    return await result
  }
}

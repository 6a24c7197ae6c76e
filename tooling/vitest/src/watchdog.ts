/**
 * The longest time that the event loop of this thread was blocked, in milliseconds of the thread's own processor time:
 * time that other programs use does not count.
 */
export class Watchdog {
  #longest = 0
  #last = process.threadCpuUsage()
  readonly #timer = setInterval(() => this.#look(), 1)

  /** Returns the longest time since its creation. */
  stop(): number {
    this.#look()
    clearInterval(this.#timer)
    return this.#longest
  }

  #look(): void {
    const { user, system } = process.threadCpuUsage(this.#last)
    this.#longest = Math.max(this.#longest, (user + system) / 1_000)
    this.#last = process.threadCpuUsage()
  }
}

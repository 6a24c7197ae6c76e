/**
 * The longest that the event loop of this thread stood still, in milliseconds of the thread's own processor time: what other
 * programs take of the machine meanwhile does not count.
 */
export class Watchdog {
  #longest = 0
  #last = process.threadCpuUsage()
  readonly #timer = setInterval(() => this.#look(), 1)

  /** Gives the longest time since it was made. */
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

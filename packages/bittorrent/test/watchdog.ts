/** Measures the longest time in which this process did nothing else, in milliseconds. */
export class Watchdog {
  longest = 0
  #last = performance.now()
  readonly #timer = setInterval(() => this.#look(), 5)

  stop(): number {
    this.#look()
    clearInterval(this.#timer)
    return this.longest
  }

  #look(): void {
    const now = performance.now()
    this.longest = Math.max(this.longest, now - this.#last)
    this.#last = now
  }
}

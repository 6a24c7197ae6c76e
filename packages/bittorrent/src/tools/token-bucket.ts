/** A token bucket: `rate` per second, up to `burst` at once. */
export class TokenBucket {
  readonly #rate: number
  readonly #burst: number
  #tokens: number
  #last: number = performance.now()

  constructor(rate: number, burst: number) {
    this.#rate = rate
    this.#burst = burst
    this.#tokens = burst
  }

  /** Returns whether there was enough. If not, nothing is taken. */
  take(amount: number): boolean {
    const now = performance.now()
    this.#tokens = Math.min(this.#burst, this.#tokens + ((now - this.#last) / 1_000) * this.#rate)
    this.#last = now
    if (this.#tokens < amount) return false
    this.#tokens -= amount
    return true
  }
}

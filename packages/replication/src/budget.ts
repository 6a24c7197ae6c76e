/** An amount that flows back within an hour. One request may take more than is left, but not more than the whole amount. */
export class HourlyBudget {
  readonly #limit: number
  readonly #now: () => number
  #used = 0
  #at: number

  constructor(limit: number, now: () => number) {
    this.#limit = limit
    this.#now = now
    this.#at = now()
  }

  /**
   * Whether the amount is available. Content that is larger than a whole hour's budget waits until the whole budget is
   * available.
   */
  has(amount: number): boolean {
    const now = this.#now()
    this.#used = Math.max(0, this.#used - ((now - this.#at) * this.#limit) / 3_600_000)
    this.#at = now
    return this.#used + Math.min(amount, this.#limit) <= this.#limit
  }

  take(amount: number): void {
    this.#used += amount
  }
}

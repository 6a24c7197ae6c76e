const patience = 5_000

/** Epoch milliseconds with fractions, comparable between processes of one machine. */
export function epoch(): number {
  return performance.timeOrigin + performance.now()
}

/** Counts messages, and lets somebody wait for a number of them. */
export class Mailbox {
  #count = 0
  #last = 0
  #wanted = Infinity
  #wake: (() => void) | undefined

  deliver(): void {
    this.#last = epoch()
    if (++this.#count >= this.#wanted) this.#wake?.()
  }

  /** Resolves when `count` have come, or when none came for a while; then counts from 0 again. */
  async take(count: number): Promise<{ count: number; last: number }> {
    while (this.#count < count) {
      const before = this.#count
      this.#wanted = count
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, patience)
        this.#wake = () => {
          clearTimeout(timer)
          resolve()
        }
      })
      if (this.#count === before) break
    }
    const seen = { count: this.#count, last: this.#last }
    this.#count = 0
    this.#wanted = Infinity
    return seen
  }
}

export async function timed(work: () => Promise<unknown>): Promise<number> {
  const begin = performance.now()
  await work()
  return performance.now() - begin
}

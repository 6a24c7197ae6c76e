interface Share<T> {
  /** The last one is next. */
  readonly waiting: T[]
  running: number
}

/**
 * Work in shares that take turns. Each share gets at most `perShare` of `total` slots, so no share delays the others.
 * Within a share the newest work comes first, and work that was put back comes last.
 */
export class FairQueue<T> {
  readonly #run: (work: T) => Promise<void>
  readonly #total: number
  readonly #perShare: number
  /** In the order of their turns. */
  readonly #shares = new Map<string, Share<T>>()
  #running = 0

  /** `run` must not reject. */
  constructor(limits: { total: number; perShare: number }, run: (work: T) => Promise<void>) {
    this.#total = limits.total
    this.#perShare = limits.perShare
    this.#run = run
  }

  add(share: string, work: T): void {
    this.#share(share).waiting.push(work)
    this.#next()
  }

  putBack(share: string, work: T): void {
    this.#share(share).waiting.unshift(work)
    this.#next()
  }

  clear(): void {
    for (const { waiting } of this.#shares.values()) waiting.length = 0
  }

  #next(): void {
    while (this.#running < this.#total) {
      const turn = [...this.#shares].find(([, { waiting, running }]) => waiting.length > 0 && running < this.#perShare)
      if (turn === undefined) return
      const [name, share] = turn
      // Its next turn comes after those of all others.
      this.#shares.delete(name)
      this.#shares.set(name, share)
      void this.#start(name, share, share.waiting.pop() as T)
    }
  }

  async #start(name: string, share: Share<T>, work: T): Promise<void> {
    this.#running++
    share.running++
    await this.#run(work)
    this.#running--
    share.running--
    if (share.running === 0 && share.waiting.length === 0) this.#shares.delete(name)
    this.#next()
  }

  #share(name: string): Share<T> {
    let share = this.#shares.get(name)
    if (share === undefined) {
      share = { waiting: [], running: 0 }
      this.#shares.set(name, share)
    }
    return share
  }
}

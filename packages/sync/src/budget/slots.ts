type Start = () => void

/**
 * Lets so many pieces of work run at once. Those that wait take turns: known senders and strangers alternately, and within each class
 * sender by sender, so that a sender with much work waits behind itself and delays the others by one piece each.
 */
export class FairSlots {
  #free: number
  readonly #isKnown: (sender: string) => boolean
  readonly #known: Map<string, Start[]> = new Map()
  readonly #strangers: Map<string, Start[]> = new Map()
  #strangersNext = false

  constructor(atOnce: number, isKnown: (sender: string) => boolean) {
    this.#free = atOnce
    this.#isKnown = isKnown
  }

  async run<T>(sender: string, work: () => Promise<T>): Promise<T> {
    if (this.#free > 0) this.#free--
    else await new Promise<void>((resolve) => this.#wait(sender, resolve))
    try {
      return await work()
    } finally {
      const next = this.#next()
      if (next === undefined) this.#free++
      else next()
    }
  }

  #wait(sender: string, start: Start): void {
    const waiting = this.#isKnown(sender) ? this.#known : this.#strangers
    const own = waiting.get(sender)
    if (own === undefined) waiting.set(sender, [start])
    else own.push(start)
  }

  #next(): Start | undefined {
    const order = this.#strangersNext ? [this.#strangers, this.#known] : [this.#known, this.#strangers]
    this.#strangersNext = !this.#strangersNext
    for (const waiting of order) {
      for (const [sender, starts] of waiting) {
        const start = starts.shift()
        waiting.delete(sender)
        if (starts.length > 0) waiting.set(sender, starts)
        return start
      }
    }
    return undefined
  }
}

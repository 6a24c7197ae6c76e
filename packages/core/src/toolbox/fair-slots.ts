type Line = Set<() => void>

/**
 * Runs a limited number of pieces of work at once. Waiting work takes turns: known senders and strangers alternate, and
 * within each class every sender has its turn. A sender with much work waits behind itself, and delays each other sender by
 * one piece of work.
 */
export class FairSlots {
  #free: number
  #waiting = 0
  readonly #isKnown: (sender: string) => boolean
  readonly #known: Map<string, Line> = new Map()
  readonly #strangers: Map<string, Line> = new Map()
  #strangersNext = false

  constructor(atOnce: number, isKnown: (sender: string) => boolean) {
    this.#free = atOnce
    this.#isKnown = isKnown
  }

  /** Pieces of work that wait. */
  get waiting(): number {
    return this.#waiting
  }

  /** Whether work would run at once. */
  get free(): boolean {
    return this.#free > 0
  }

  /** The signal ends the wait: the call then rejects with the signal's reason, and the work does not begin. */
  async run<T>(sender: string, work: () => Promise<T>, signal?: AbortSignal): Promise<T> {
    signal?.throwIfAborted()
    if (this.#free > 0) this.#free--
    else await this.#wait(sender, signal)
    try {
      return await work()
    } finally {
      const next = this.#next()
      if (next === undefined) this.#free++
      else next()
    }
  }

  #wait(sender: string, signal: AbortSignal | undefined): Promise<void> {
    const lines = this.#isKnown(sender) ? this.#known : this.#strangers
    const line: Line = lines.get(sender) ?? new Set()
    lines.set(sender, line)
    this.#waiting++
    return new Promise((resolve, reject) => {
      const leave = (): void => {
        signal?.removeEventListener('abort', giveUp)
        this.#waiting--
        line.delete(start)
        if (line.size === 0) lines.delete(sender)
      }
      const start = (): void => {
        leave()
        resolve()
      }
      const giveUp = (): void => {
        leave()
        reject(signal?.reason as Error)
      }
      line.add(start)
      signal?.addEventListener('abort', giveUp, { once: true })
    })
  }

  #next(): (() => void) | undefined {
    const order = this.#strangersNext ? [this.#strangers, this.#known] : [this.#known, this.#strangers]
    this.#strangersNext = !this.#strangersNext
    for (const lines of order) {
      for (const [sender, line] of lines) {
        lines.delete(sender)
        lines.set(sender, line)
        for (const start of line) return start
      }
    }
    return undefined
  }
}

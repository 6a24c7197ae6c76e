import type { Loopback, Traffic } from './loopback.ts'
import type { Usage } from './usage.ts'

/** What the processes of one side have used so far. */
export interface Reading extends Usage {
  /** Traffic on the side's loopback; absent if the side does not have its own. */
  readonly traffic: Traffic | undefined
}

/** Counts the usage of a changing set of processes, and of their own network. */
export class Meter {
  readonly loopback: Loopback | undefined
  readonly #running = new Map<() => Promise<Usage>, () => Promise<void>>()
  #ended: Usage = { cpu: 0, peak: 0 }

  constructor(loopback?: Loopback) {
    this.loopback = loopback
  }

  /** Adds a process that `end` ends. Returns a function that reads the usage a last time and then calls `end`. */
  add(usage: () => Promise<Usage>, end: () => Promise<void> = async () => undefined): () => Promise<void> {
    this.#running.set(usage, end)
    return async () => {
      if (!this.#running.has(usage)) return
      const last = await usage().catch(() => ({ cpu: 0, peak: 0 }))
      if (this.#running.delete(usage)) this.#ended = sum(this.#ended, last)
      await end()
    }
  }

  /** Ends the remaining processes, and the network. */
  async close(): Promise<void> {
    await Promise.allSettled([...this.#running.values()].map((end) => end()))
    await this.loopback?.close()
  }

  async read(): Promise<Reading> {
    const running = await Promise.all([...this.#running.keys()].map((usage) => usage()))
    return { ...running.reduce(sum, this.#ended), traffic: this.loopback?.traffic() }
  }
}

function sum(a: Usage, b: Usage): Usage {
  return { cpu: a.cpu + b.cpu, peak: Math.max(a.peak, b.peak) }
}

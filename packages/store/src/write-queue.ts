import type { Operation } from './types.ts'

/** The most bytes that one write to the database collects, unless a single caller brings more. */
export const groupBytes = 4_194_304

export interface Write {
  readonly operations: readonly Operation[]
  readonly bytes: number
  readonly sync: boolean
  /** The share of the reserve that the write must leave: 1 for most writes, 0 for those that make room. */
  readonly leaves: number
}

interface Waiting extends Write, PromiseWithResolvers<void> {}

/**
 * Joins the calls that arrive during a write into the next one: one record in the log and one wait for the disk for all
 * of them. Each caller's operations are applied together or not at all, in the order of the calls.
 */
export class WriteQueue {
  readonly #commit: (writes: readonly Write[]) => Promise<void>
  #waiting: Waiting[] = []
  #running: Promise<void> | undefined

  constructor(commit: (writes: readonly Write[]) => Promise<void>) {
    this.#commit = commit
  }

  async add(write: Write): Promise<void> {
    const waiting = { ...write, ...Promise.withResolvers<void>() }
    this.#waiting.push(waiting)
    this.#running ??= this.#run()
    await waiting.promise
  }

  /** Resolves when nothing is being written. */
  async idle(): Promise<void> {
    await this.#running
  }

  async #run(): Promise<void> {
    // The callers of this turn share a write.
    await Promise.resolve()
    while (this.#waiting.length > 0) {
      const group = this.#next()
      try {
        await this.#commit(group)
        for (const { resolve } of group) resolve()
      } catch (error) {
        if (group.length === 1) group[0]?.reject(error)
        // One write that fails must not take the others with it.
        else for (const write of group) await this.#commit([write]).then(write.resolve, write.reject)
      }
    }
    this.#running = undefined
  }

  #next(): Waiting[] {
    let bytes = 0
    const end = this.#waiting.findIndex((write, i) => (bytes += write.bytes) > groupBytes && i > 0)
    return this.#waiting.splice(0, end < 0 ? this.#waiting.length : end)
  }
}

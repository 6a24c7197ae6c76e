import { BoundedMap } from '@p2pl/core/backend'

const maxKinds = 1_024

/**
 * Limits how much others can make a log grow: each kind gets a number of lines per time window. The first line after the
 * window tells how many were left out.
 */
export class LineBudget {
  readonly #most: number
  readonly #windowMs: number
  readonly #now: () => number
  readonly #kinds = new BoundedMap<string, { since: number; lines: number; left: number }>(maxKinds)

  constructor(most: number, windowMs: number, now: () => number = () => performance.now()) {
    this.#most = most
    this.#windowMs = windowMs
    this.#now = now
  }

  /** Whether another line of this kind may be written, and how many were left out since the previous one. */
  take(kind: string): { write: boolean; leftOut: number } {
    const now = this.#now()
    const known = this.#kinds.get(kind)
    if (known === undefined || now - known.since >= this.#windowMs) {
      this.#kinds.set(kind, { since: now, lines: 1, left: 0 })
      return { write: true, leftOut: known?.left ?? 0 }
    }
    if (known.lines < this.#most) {
      known.lines++
      return { write: true, leftOut: 0 }
    }
    known.left++
    return { write: false, leftOut: 0 }
  }
}

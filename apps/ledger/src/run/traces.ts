import process from 'node:process'
import { LineBudget } from '@p2pl/layers/log'
import type { Trace, TraceView } from '../service/trace-view.ts'

export type TraceListener = (view: TraceView) => void

/** The most traces of each type per second. Nobody reads more, and a flood of one type hides no other. */
const perSecond = 100

/** Passes traces to watchers. Nothing is collected while there are none. */
export class Traces {
  readonly #listeners = new Set<TraceListener>()
  readonly #budget: LineBudget

  /** @param now - Monotonic milliseconds, for the limit per second. */
  constructor(now: () => number = () => performance.now()) {
    this.#budget = new LineBudget(perSecond, 1_000, now)
  }

  get watched(): boolean {
    return this.#listeners.size > 0
  }

  listen(listener: TraceListener): () => void {
    this.#listeners.add(listener)
    return () => {
      this.#listeners.delete(listener)
    }
  }

  add(trace: Trace, at: number = machineNow()): void {
    if (!this.watched) return
    const { write, leftOut } = this.#budget.take(trace.type)
    if (!write) return
    const view = { at, trace, ...(leftOut > 0 && { leftOut }) }
    for (const listener of this.#listeners) listener(view)
  }
}

/**
 * Monotonic milliseconds since the machine started. Unlike `performance.now`, it is comparable between processes of the
 * machine.
 */
export function machineNow(): number {
  return Number(process.hrtime.bigint() / 1_000n) / 1_000
}

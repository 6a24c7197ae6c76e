import type { Clock } from '@p2pl/core/backend'
import { mostTelling, movesOn, nothingWorks } from './faults.ts'

/** One way to get an answer. */
export interface Try<T> {
  /** Milliseconds after the previous try has begun; sooner if all running tries have failed. */
  readonly after: number
  readonly run: (signal: AbortSignal) => Promise<T>
}

/**
 * The first answer of several tries, which begin one after the other. That answer ends the other tries. Rejects when all
 * have failed, and at once with an error that every try would give.
 */
export async function staggered<T>(clock: Clock, tries: readonly Try<T>[], outer: AbortSignal): Promise<T> {
  const end = new AbortController()
  const onAbort = (): void => {
    end.abort(outer.reason)
  }
  outer.throwIfAborted()
  outer.addEventListener('abort', onAbort, { once: true })
  let timer: unknown
  try {
    return await new Promise<T>((resolve, reject) => {
      const errors: unknown[] = []
      const waiting = [...tries]
      let running = 0
      const begin = (): void => {
        clock.clearTimeout(timer)
        const next = end.signal.aborted ? undefined : waiting.shift()
        if (next === undefined) return
        running++
        next.run(end.signal).then(resolve, (error: unknown) => {
          running--
          errors.push(error)
          if (!movesOn(error)) reject(error)
          else if (running === 0 && waiting.length > 0) begin()
          else if (running === 0) reject(mostTelling(errors))
        })
        const [following] = waiting
        if (following === undefined) return
        if (following.after === 0) begin()
        else timer = clock.setTimeout(begin, following.after, { hold: true })
      }
      end.signal.addEventListener('abort', () => reject(end.signal.reason as Error), { once: true })
      if (tries.length === 0) reject(nothingWorks())
      else begin()
    })
  } finally {
    clock.clearTimeout(timer)
    outer.removeEventListener('abort', onAbort)
    end.abort(new Error('another was first'))
  }
}

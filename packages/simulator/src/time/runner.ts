import { failure } from '../errors.ts'
import type { Medium } from '../network/medium.ts'
import { inNextTurn } from './turn.ts'

/** Number of events inside the simulator after which the real event loop gets a turn. */
const maxQuietEvents = 10_000

/**
 * Moves virtual time. All events of one millisecond run in the order in which they were scheduled. Then all promises that they
 * set off settle, and only then the next millisecond begins.
 */
export class Runner {
  readonly #medium: Medium
  #running = false
  #failure: { readonly error: unknown } | undefined
  events = 0
  turns = 0

  constructor(medium: Medium) {
    this.#medium = medium
  }

  /** If the outcome of an action is a rejected promise, the run rejects. */
  watch(outcome: unknown): void {
    if (typeof outcome === 'object' && outcome !== null && 'then' in outcome)
      (outcome as Promise<unknown>).then(undefined, (error: unknown) => {
        this.#failure ??= { error }
      })
  }

  /** Runs for `ms` milliseconds, or until the condition holds. Resolves with whether it holds. */
  advance(ms: number, condition?: () => boolean | Promise<boolean>, every = 0): Promise<boolean> {
    if (!(ms >= 0))
      return Promise.reject(failure('INVALID_ARGUMENT', 'run', `time is a number of milliseconds from 0, not ${ms}`))
    if (this.#running)
      return Promise.reject(
        failure('INVALID_ARGUMENT', 'run', 'the simulator runs already: await one running call before the next')
      )
    this.#running = true
    const end = this.#medium.now + ms
    const holds = condition === undefined ? (): boolean => false : this.#asker(condition, every)
    return new Promise<boolean>((resolve, reject) => {
      const finish = (held: boolean): void => {
        this.#running = false
        resolve(held)
      }
      const turn = (): void => {
        try {
          if (this.#failure !== undefined) {
            const { error } = this.#failure
            this.#failure = undefined
            throw error
          }
          if (holds(false)) finish(true)
          else if (this.#step(end)) inNextTurn(turn)
          else this.#askAtTheEnd(holds, finish)
        } catch (error) {
          this.#running = false
          reject(error)
        }
      }
      inNextTurn(turn)
    })
  }

  /** Runs until an event has called code outside of the simulator. Returns false when nothing is left to do before `end`. */
  #step(end: number): boolean {
    const medium = this.#medium
    const { queue } = medium
    for (let quiet = 0; quiet < maxQuietEvents;) {
      const at = queue.nextAt()
      if (at > end) {
        if (end !== Infinity) medium.now = end
        return false
      }
      medium.now = at
      let called = false
      // Turns that these events request come after their promises have settled.
      const { nextOrder } = queue
      do {
        this.events++
        quiet++
        if (queue.pop().run()) called = true
      } while (queue.has(at, nextOrder))
      if (called) {
        this.turns++
        return true
      }
    }
    return true
  }

  /** Waits one turn for a pending answer, and one more for the answer to a last check. */
  #askAtTheEnd(holds: (must: boolean) => boolean, finish: (held: boolean) => void): void {
    if (holds(true)) finish(true)
    else
      inNextTurn(() => {
        if (holds(true)) finish(true)
        else
          inNextTurn(() => {
            finish(holds(false))
          })
      })
  }

  /** Checks the condition at intervals, or when it must, but never twice at the same time. */
  #asker(condition: () => boolean | Promise<boolean>, every: number): (must: boolean) => boolean {
    let next = -Infinity
    let asking = false
    let held = false
    return (must) => {
      if (held || asking || (!must && this.#medium.now < next)) return held
      next = this.#medium.now + every
      const answer = condition()
      if (typeof answer === 'boolean') return (held = answer)
      asking = true
      answer.then(
        (value) => {
          held = value
          asking = false
        },
        (error: unknown) => {
          this.#failure ??= { error }
        }
      )
      return false
    }
  }
}

import type { CID } from 'multiformats/cid'
import { isP2plError } from '../errors.ts'
import type { Calls } from './calls.ts'

const maxEntries = 4_096
const maxConcurrent = 4
const firstPause = 1_000
const longestPause = 300_000
const operation = 'data.announce'

interface Entry {
  readonly cid: CID
  attempts: number
  /** When it may be tried (again), by the clock. */
  due: number
  abort: AbortController | undefined
}

/**
 * Provides in the background: each CID again, with growing pauses, until it succeeds, is cancelled, or the peer stops.
 * While nobody is there to announce to, one of them is tried for all. Gives up, with a `warning` event, on what no repetition
 * will help, and on what does not fit into its queue.
 */
export class Announcer {
  readonly #calls: Calls
  readonly #entries = new Map<string, Entry>()
  #running = 0
  #timer: unknown
  #stopped = false
  #overflowing = false
  /** While nobody is there: when the next attempt is due, and the pause that led to it. */
  #alone: { readonly due: number; readonly pause: number } | undefined
  #triedAt = -Infinity

  constructor(calls: Calls) {
    this.#calls = calls
  }

  announce(cid: CID): void {
    const key = keyOf(cid)
    if (this.#stopped || this.#entries.has(key)) return
    if (this.#entries.size >= maxEntries) {
      if (!this.#overflowing) {
        this.#warn(
          `${maxEntries} CIDs wait to be announced; ${cid.toString()} and later ones are not, until there is room`
        )
      }
      this.#overflowing = true
      return
    }
    this.#entries.set(key, { cid, attempts: 0, due: this.#calls.context.clock.now(), abort: undefined })
    this.#advance()
  }

  /** Somebody is there now, perhaps for the first time: whoever waits for that need not wait for longer. */
  peerConnected(): void {
    if (this.#alone === undefined) return
    this.#alone = { due: Math.max(this.#calls.context.clock.now(), this.#triedAt + firstPause), pause: 0 }
    this.#advance()
  }

  /** Whether it was still waiting or under way. */
  cancel(cid: CID): boolean {
    const key = keyOf(cid)
    const entry = this.#entries.get(key)
    if (entry === undefined) return false
    this.#entries.delete(key)
    entry.abort?.abort()
    return true
  }

  stop(): void {
    this.#stopped = true
    this.#calls.context.clock.clearTimeout(this.#timer)
    this.#timer = undefined
    for (const entry of this.#entries.values()) entry.abort?.abort()
    this.#entries.clear()
  }

  #advance(): void {
    const { clock } = this.#calls.context
    if (this.#timer !== undefined) clock.clearTimeout(this.#timer)
    this.#timer = undefined
    if (this.#stopped || this.#entries.size === 0) return
    const now = clock.now()
    if (this.#alone !== undefined && this.#alone.due > now) {
      this.#wake(this.#alone.due - now)
      return
    }
    const most = this.#alone === undefined ? maxConcurrent : 1
    let soonest = Infinity
    for (const entry of this.#entries.values()) {
      if (entry.abort !== undefined) continue
      if (entry.due > now) soonest = Math.min(soonest, entry.due)
      else if (this.#running < most) void this.#provide(entry)
      // All are busy: the next one to end comes back here.
      else return
    }
    if (soonest < Infinity) this.#wake(soonest - now)
  }

  #wake(after: number): void {
    this.#timer = this.#calls.context.clock.setTimeout(() => {
      this.#timer = undefined
      this.#advance()
    }, after)
  }

  /** Never rejects. */
  async #provide(entry: Entry): Promise<void> {
    const { deadlines, clock } = this.#calls.context
    const abort = new AbortController()
    const alone = this.#alone
    entry.abort = abort
    this.#running++
    this.#triedAt = clock.now()
    try {
      await this.#calls.run({ signal: abort.signal }, deadlines.routing, operation, ({ signal }) =>
        this.#calls.port(operation, () => this.#calls.routing('provide', operation).provide(entry.cid, { signal }))
      )
      this.#remove(entry)
      this.#alone = undefined
    } catch (error) {
      if (!abort.signal.aborted) {
        if (isP2plError(error, 'NO_PEERS')) {
          // Those that were under way together say it once.
          if (this.#alone === alone) {
            const pause = Math.min(longestPause, (alone?.pause ?? 0) * 2 || firstPause)
            this.#alone = { due: clock.now() + pause, pause }
          }
        } else if (isP2plError(error) && error.retryable) {
          entry.due = clock.now() + Math.min(longestPause, firstPause * 2 ** Math.min(entry.attempts++, 20))
        } else {
          this.#remove(entry)
          this.#warn(
            `${entry.cid.toString()} is not announced: ${error instanceof Error ? error.message : String(error)}`
          )
        }
      }
    } finally {
      this.#running--
      entry.abort = undefined
      this.#advance()
    }
  }

  #remove(entry: Entry): void {
    const key = keyOf(entry.cid)
    if (this.#entries.get(key) === entry) this.#entries.delete(key)
    this.#overflowing = false
  }

  #warn(message: string): void {
    if (this.#stopped) return
    const { backend, onEvent } = this.#calls.context
    onEvent({ type: 'warning', backend: backend.name, message })
  }
}

/** Records are by multihash. */
function keyOf(cid: CID): string {
  return cid.multihash.bytes.join()
}

import type { CID } from 'multiformats/cid'
import { errorMessage, isP2plError } from '../errors.ts'
import { backoff } from '../toolbox/backoff.ts'
import { bytesKey } from '../toolbox/bytes.ts'
import { Heap } from '../toolbox/heap.ts'
import type { Calls } from './calls.ts'

const maxEntries = 65_536
const maxConcurrent = 4
/**
 * A record costs about 3 ms of processor time at each end, so a peer that adds thousands of small files would keep itself
 * and other peers busy with nothing else. The first records go out at once, then one per pause. On a real network every
 * record takes at least that long.
 */
const pace = { atOnce: 16, pause: 1_000 / 32 } as const
const pauses = { first: 1_000, longest: 300_000 } as const
/** The part of its lifetime after which a record is renewed. */
const renewalPart = 0.45
const operation = 'data.provide'

interface Entry {
  readonly cid: CID
  /** Among entries that are due at the same time, the one added first is tried first. */
  readonly order: number
  attempts: number
  /** When it is tried (again), on the monotonic clock. */
  due: number
  abort: AbortController | undefined
}

const sooner = (a: Entry, b: Entry): boolean => a.due < b.due || (a.due === b.due && a.order < b.order)

/**
 * Provides in the background: retries each CID with growing pauses until it succeeds, then renews the record before it
 * expires, for as long as the peer runs. While no peer is there to take a record, one CID is tried on behalf of all. The
 * provider gives up, with a `warning` event, on errors that a retry cannot fix and on CIDs beyond the limit.
 */
export class Provider {
  readonly #calls: Calls
  readonly #entries = new Map<string, Entry>()
  /** The entries that wait, and some that have been cancelled since. */
  #waiting = new Heap(sooner)
  #added = 0
  #running = 0
  /** When the next record may be put out, after those that may go out at once. */
  #paced = -Infinity
  #timer: unknown
  #stopped = false
  #overflowing = false
  /** While no peer is there: when the next attempt is due, and how many there have been. */
  #alone: { readonly due: number; readonly attempts: number } | undefined
  #triedAt = -Infinity

  constructor(calls: Calls) {
    this.#calls = calls
  }

  get #now(): number {
    return this.#calls.context.clock.now()
  }

  get #lifetime(): number {
    return this.#calls.context.backend.capabilities.routing?.recordLifetime ?? Infinity
  }

  /** If records expire so soon that many could not be renewed in time, they go out faster. */
  get #pause(): number {
    return Math.min(pace.pause, (this.#lifetime * renewalPart) / this.#entries.size)
  }

  /** Schedules the CID to be provided soon. */
  provide(cid: CID): void {
    this.#add(cid, this.#now)
  }

  /** The CID has just been provided: schedules the renewal of its record. */
  provided(cid: CID): void {
    this.cancel(cid)
    if (this.#lifetime < Infinity) this.#add(cid, this.#now + this.#lifetime * renewalPart)
  }

  #add(cid: CID, due: number): void {
    const key = bytesKey(cid.multihash.bytes)
    if (this.#stopped || this.#entries.has(key)) return
    if (this.#entries.size >= maxEntries) {
      if (!this.#overflowing) {
        this.#warn(`${maxEntries} CIDs are provided already; ${cid.toString()} and later ones are not`)
      }
      this.#overflowing = true
      return
    }
    const entry: Entry = { cid, order: this.#added++, attempts: 0, due, abort: undefined }
    this.#entries.set(key, entry)
    this.#waiting.push(entry)
    if (this.#waiting.size > 2 * maxEntries) this.#forgetCancelled()
    this.#advance()
  }

  /** A peer is there now, perhaps the first one, so records that wait for a peer wait no longer. */
  peerConnected(): void {
    if (this.#alone === undefined) return
    this.#alone = { due: Math.max(this.#now, this.#triedAt + pauses.first), attempts: 0 }
    this.#advance()
  }

  /** Returns whether the CID had not been provided yet. */
  cancel(cid: CID): boolean {
    const key = bytesKey(cid.multihash.bytes)
    const entry = this.#entries.get(key)
    if (entry === undefined) return false
    this.#entries.delete(key)
    this.#overflowing = false
    entry.abort?.abort()
    return entry.due <= this.#now || entry.attempts > 0
  }

  stop(): void {
    this.#stopped = true
    this.#calls.context.clock.clearTimeout(this.#timer)
    for (const entry of this.#entries.values()) entry.abort?.abort()
    this.#entries.clear()
  }

  #advance(): void {
    const { clock } = this.#calls.context
    clock.clearTimeout(this.#timer)
    this.#timer = undefined
    if (this.#stopped || this.#entries.size === 0) return
    const now = clock.now()
    if (this.#alone !== undefined && this.#alone.due > now) {
      this.#wake(this.#alone.due - now)
      return
    }
    const most = this.#alone === undefined ? maxConcurrent : 1
    for (let next = this.#soonest(); next !== undefined; next = this.#soonest()) {
      // All are busy. The next one that ends comes back here.
      if (next.due <= now && this.#running >= most) return
      this.#paced = Math.max(this.#paced, now - (pace.atOnce - 1) * this.#pause)
      const at = Math.max(next.due, this.#paced)
      if (at > now) {
        this.#wake(at - now)
        return
      }
      this.#paced += this.#pause
      this.#waiting.pop()
      void this.#provide(next)
    }
  }

  /** The waiting entry that is due first. */
  #soonest(): Entry | undefined {
    for (;;) {
      const { first } = this.#waiting
      if (first === undefined || this.#has(first)) return first
      this.#waiting.pop()
    }
  }

  #forgetCancelled(): void {
    this.#waiting = new Heap(sooner)
    for (const entry of this.#entries.values()) if (entry.abort === undefined) this.#waiting.push(entry)
  }

  #has(entry: Entry): boolean {
    return this.#entries.get(bytesKey(entry.cid.multihash.bytes)) === entry
  }

  #wake(after: number): void {
    this.#timer = this.#calls.context.clock.setTimeout(() => {
      this.#timer = undefined
      this.#advance()
    }, after)
  }

  /** Never rejects. */
  async #provide(entry: Entry): Promise<void> {
    const { timeouts } = this.#calls.context
    const abort = new AbortController()
    const alone = this.#alone
    entry.abort = abort
    this.#running++
    this.#triedAt = this.#now
    try {
      // Runs in the background, so it does not keep the process alive.
      await this.#calls.background(abort.signal, timeouts.routing, operation, (signal) =>
        this.#calls.routing('provide', operation).provide(entry.cid, { signal })
      )
      this.#alone = undefined
      entry.attempts = 0
      entry.due = this.#now + this.#lifetime * renewalPart
      if (this.#lifetime === Infinity) this.#remove(entry)
    } catch (error) {
      if (!abort.signal.aborted) this.#failed(entry, error, alone)
    } finally {
      this.#running--
      entry.abort = undefined
      if (this.#has(entry)) this.#waiting.push(entry)
      this.#advance()
    }
  }

  #failed(entry: Entry, error: unknown, alone: { readonly attempts: number } | undefined): void {
    if (isP2plError(error, 'NO_PEERS')) {
      // Attempts that were under way together count as one.
      if (this.#alone !== alone) return
      const attempts = (alone?.attempts ?? 0) + 1
      this.#alone = { due: this.#now + backoff(pauses, attempts), attempts }
    } else if (isP2plError(error) && error.retryable) {
      entry.due = this.#now + backoff(pauses, ++entry.attempts)
    } else {
      this.#remove(entry)
      this.#warn(`${entry.cid.toString()} is not provided: ${errorMessage(error)}`)
    }
  }

  #remove(entry: Entry): void {
    if (this.#has(entry)) this.#entries.delete(bytesKey(entry.cid.multihash.bytes))
    this.#overflowing = false
  }

  #warn(message: string): void {
    if (this.#stopped) return
    const { backend, onEvent } = this.#calls.context
    onEvent({ type: 'warning', backend: backend.name, message })
  }
}

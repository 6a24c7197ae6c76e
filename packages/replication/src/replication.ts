import type { CallOptions, CidInput, Peer } from '@p2pl/core'
import { CID } from 'multiformats/cid'
import type { KeepStatus, Range, Replication, ReplicationEvent } from './api.ts'
import { HourlyBudget } from './budget.ts'
import { asP2plError, failure } from './errors.ts'
import { Kept } from './kept.ts'
import { rangeOf, type Settings } from './options.ts'
import { Roster } from './roster.ts'
import { Work } from './work.ts'

/** Number of CIDs that are worked on at once. */
const atOnce = 4
/** Delay before the first look at new content, in milliseconds. */
const soon = 100
/** The random part of a pause, so that peers do not all act at once. */
const jitter = 0.2

export class PeerReplication implements Replication {
  readonly #peer: Peer
  readonly #settings: Settings
  readonly #kept = new Map<string, Kept>()
  readonly #listeners = new Set<(event: ReplicationEvent) => void>()
  readonly #roster: Roster
  readonly #work: Work
  readonly #life = new AbortController()
  #paused = false
  #timer: unknown
  #watching: Promise<void> | undefined
  #watched = -Infinity

  constructor(peer: Peer, settings: Settings) {
    const { clock } = peer.environment
    const now = (): number => clock.now()
    this.#peer = peer
    this.#settings = settings
    this.#roster = new Roster(peer, now)
    this.#work = new Work({
      peer,
      settings,
      roster: this.#roster,
      bytes: new HourlyBudget(settings.maxBytesPerHour, now),
      copies: new HourlyBudget(settings.maxCopiesPerHour, now),
      signal: this.#life.signal,
      active: () => !this.#paused && !this.#life.signal.aborted
    })
  }

  get paused(): boolean {
    return this.#paused
  }

  keep(input: CidInput, given: Range): void {
    this.#assertRunning('keep')
    const cid = cidOf('keep', input)
    const range = rangeOf(given)
    const known = this.#kept.get(keyOf(cid))
    if (known !== undefined) Object.assign(known, range, { due: this.#now })
    else if (this.#kept.size < this.#settings.maxKept) this.#kept.set(keyOf(cid), new Kept(cid, range, this.#now))
    else {
      const most = `${this.#settings.maxKept} CIDs are kept: raise maxKept, or keep a folder or list that links to them`
      throw failure('TOO_LARGE', 'keep', `keep: ${most}`)
    }
    this.#wake(soon)
  }

  async release(input: CidInput, options: CallOptions = {}): Promise<void> {
    this.#assertRunning('release')
    const cid = cidOf('release', input)
    const kept = this.#kept.get(keyOf(cid))
    if (kept === undefined) return
    this.#kept.delete(keyOf(cid))
    await this.#work.giveUp(kept, [...kept.held.keys()], options)
  }

  status(input: CidInput): KeepStatus | undefined {
    const kept = this.#kept.get(keyOf(cidOf('status', input)))
    return kept === undefined ? undefined : this.#statusOf(kept)
  }

  statuses(): readonly KeepStatus[] {
    return [...this.#kept.values()].map((kept) => this.#statusOf(kept))
  }

  pause(): void {
    this.#paused = true
    this.#peer.environment.clock.clearTimeout(this.#timer)
  }

  resume(): void {
    this.#assertRunning('resume')
    if (!this.#paused) return
    this.#paused = false
    // This peer listened to nobody meanwhile, so silence means nothing.
    for (const { held } of this.#kept.values()) for (const copy of held.values()) copy.heard = this.#now
    this.#wake(soon)
  }

  onEvent(listener: (event: ReplicationEvent) => void): () => void {
    if (typeof listener !== 'function') {
      throw failure('INVALID_ARGUMENT', 'onEvent', 'onEvent: give it a function that takes each event')
    }
    this.#listeners.add(listener)
    return () => {
      this.#listeners.delete(listener)
    }
  }

  async stop(): Promise<void> {
    this.pause()
    this.#life.abort(failure('NOT_RUNNING', 'replication', 'replication was stopped'))
    await this.#watching
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop()
  }

  get #now(): number {
    return this.#peer.environment.clock.now()
  }

  #statusOf(kept: Kept): KeepStatus {
    return kept.status(this.#now, 2 * this.#settings.watchEvery, this.#paused)
  }

  #wake(ms: number): void {
    const { clock, random } = this.#peer.environment
    clock.clearTimeout(this.#timer)
    if (this.#paused || this.#life.signal.aborted) return
    const pause = ms * (1 + jitter * (random() - 0.5))
    this.#timer = clock.setTimeout(() => {
      this.#watching ??= this.#watch().finally(() => {
        this.#watching = undefined
        this.#wake(this.#settings.watchEvery)
      })
    }, pause)
  }

  /** Never rejects. Asks which peers are there, then does the work that is due. */
  async #watch(): Promise<void> {
    if (this.#kept.size === 0) return
    try {
      if (this.#now - this.#watched >= this.#settings.watchEvery / 2) {
        await this.#roster.look(this.#life.signal)
        this.#watched = this.#now
      }
      const open = [...this.#kept.values()]
      const workers = Array.from({ length: atOnce }, async () => {
        for (let kept = open.pop(); kept !== undefined; kept = open.pop()) await this.#tend(kept)
      })
      await Promise.all(workers)
    } catch (cause) {
      this.#warn(cause)
    }
  }

  async #tend(kept: Kept): Promise<void> {
    if (this.#paused || this.#life.signal.aborted || this.#kept.get(keyOf(kept.cid)) !== kept) return
    const before = JSON.stringify(summary(kept))
    try {
      await this.#work.tend(kept)
    } catch (cause) {
      kept.error = asP2plError(cause, 'replication')
      kept.why = 'failed'
    }
    // The CID was released meanwhile.
    if (this.#kept.get(keyOf(kept.cid)) !== kept) return
    if (JSON.stringify(summary(kept)) !== before) this.#tell({ type: 'change', status: this.#statusOf(kept) })
  }

  #warn(cause: unknown): void {
    if (!this.#life.signal.aborted) this.#tell({ type: 'warning', error: asP2plError(cause, 'replication') })
  }

  #tell(event: ReplicationEvent): void {
    for (const listener of this.#listeners) {
      try {
        listener(event)
      } catch (error) {
        queueMicrotask(() => {
          throw error
        })
      }
    }
  }

  #assertRunning(operation: string): void {
    if (this.#life.signal.aborted) throw failure('NOT_RUNNING', operation, `${operation}: replication was stopped`)
  }
}

function summary({ held, why }: Kept): unknown {
  return [[...held.keys()], why]
}

function keyOf(cid: CID): string {
  return cid.toString()
}

function cidOf(operation: string, input: CidInput): CID {
  const cid = typeof input === 'string' ? undefined : CID.asCID(input)
  if (cid != null) return cid.toV1()
  try {
    return CID.parse(input as string).toV1()
  } catch (cause) {
    throw failure('INVALID_ARGUMENT', operation, `${operation}: expected a CID or its text`, cause)
  }
}

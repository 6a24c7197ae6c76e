import {
  abortError,
  type AbortOptions,
  type BackendEvent,
  backoff,
  type EngineEvent,
  errorMessage,
  type HookOptions,
  isP2plError,
  P2plError,
  untilAborted
} from '@p2pl/core/backend'
import { judge } from './faults.ts'
import type { Leg } from './leg.ts'
import type { CheckedLegOptions } from './options.ts'
import { probe } from './probe.ts'

/** Once one leg has started, the others get this many more milliseconds before the start resolves without them. */
const startPatience = 10_000
/** After a leg has been up for this many milliseconds, its pauses begin short again. */
const stableAfter = 60_000

export interface LegsWatcher {
  /** The leg is in use from now on, and its calls work. */
  up(leg: Leg): void
  /** The leg is out of use. */
  left(leg: Leg, error: P2plError): void
}

/** The legs of a combinator while it runs: which of them are in use, and how the others return. */
export class Legs {
  readonly all: readonly Leg[]
  /** The leg that delivered the last block. It probably has the next block, too. */
  lastSource: Leg | undefined
  readonly #name: string
  readonly #options: CheckedLegOptions
  readonly #watchers = new Set<LegsWatcher>()
  #life: AbortSignal = AbortSignal.abort()
  #report: (event: EngineEvent) => void = () => undefined
  #opened = false
  #heartbeat: unknown

  constructor(name: string, all: readonly Leg[], options: CheckedLegOptions) {
    this.#name = name
    this.all = all
    this.#options = options
  }

  get clock(): CheckedLegOptions['clock'] {
    return this.#options.clock
  }

  /** The legs in use, in order. */
  get up(): readonly Leg[] {
    return this.all.filter((leg) => leg.up)
  }

  /** The first leg in use. */
  get active(): Leg | undefined {
    return this.all.find((leg) => leg.up)
  }

  /** The legs to try, in order. If none is in use, all legs that may answer. */
  get candidates(): readonly Leg[] {
    const { up } = this
    return up.length > 0 ? up : this.all.filter((leg) => leg.running)
  }

  watch(watcher: LegsWatcher): void {
    this.#watchers.add(watcher)
  }

  unwatch(watcher: LegsWatcher): void {
    this.#watchers.delete(watcher)
  }

  /**
   * Starts all legs. Resolves when each has started or failed. Once one leg has started, it does not wait long for the
   * others. Rejects when none starts.
   */
  async open(life: AbortSignal, report: (event: EngineEvent) => void): Promise<void> {
    this.#life = life
    this.#report = report
    this.#opened = false
    const failures: unknown[] = []
    let enough: (() => void) | undefined
    const patience = new Promise<void>((resolve) => (enough = resolve))
    let timer: unknown
    const starting = this.all.map(async (leg) => {
      if (leg.paused) return
      Object.assign(leg, { up: false, running: false, degraded: false, attempts: 0, upSince: this.clock.now() })
      const failure = await this.#attempt(leg)
      if (failure !== undefined) failures[this.all.indexOf(leg)] = failure
      else timer ??= this.clock.setTimeout(() => enough?.(), startPatience, { hold: true })
    })
    try {
      await untilAborted(Promise.race([Promise.all(starting), patience]), life)
      if (this.active === undefined) throw this.#nothingStarts(failures.flatMap((failure) => failure ?? []))
    } catch (error) {
      await this.close()
      throw error
    } finally {
      this.clock.clearTimeout(timer)
    }
    this.#opened = true
    for (const leg of this.all.filter(({ up, paused }) => !up && !paused)) {
      leg.reason = errorMessage(failures[this.all.indexOf(leg)] ?? 'it has not started yet')
      this.#say(`${leg.name} does not start: ${leg.reason}. ${this.#used()}, and it is tried again`)
      this.#retryLater(leg)
    }
    this.#beat()
  }

  async close(): Promise<void> {
    this.#opened = false
    this.clock.clearTimeout(this.#heartbeat)
    const stopped = new P2plError({ code: 'NOT_RUNNING', backend: this.#name, message: `"${this.#name}" was stopped` })
    for (const leg of this.all) {
      this.#noRetry(leg)
      leg.up = false
      leg.term.abort(stopped)
    }
    this.#watchers.clear()
    await Promise.all(this.all.map((leg) => leg.backend.stop()))
    for (const leg of this.all) leg.running = false
  }

  /**
   * Makes one call of a leg. The call ends with the caller's signal, and with a retryable error when the leg goes out of
   * use meanwhile.
   */
  async run<T>(
    leg: Leg,
    operation: string,
    { signal, context }: HookOptions,
    work: (options: AbortOptions) => Promise<T>
  ): Promise<T> {
    signal.throwIfAborted()
    const { term } = leg
    const wasUp = leg.up
    const end = new AbortController()
    const onAbort = (): void => {
      end.abort(signal.aborted ? signal.reason : term.signal.reason)
    }
    signal.addEventListener('abort', onAbort, { once: true })
    if (wasUp) term.signal.addEventListener('abort', onAbort, { once: true })
    let timer: unknown
    const examine = (): void => {
      void this.examine(leg)
      timer = this.clock.setTimeout(examine, this.#options.timeout)
    }
    timer = this.clock.setTimeout(examine, this.#options.timeout)
    try {
      const value = await untilAborted(work({ signal: end.signal, context }), end.signal)
      if (!wasUp && !leg.degraded) this.#up(leg)
      return value
    } catch (error) {
      if (signal.aborted) throw abortError(operation, signal, leg.name)
      if (wasUp && term.signal.aborted) throw term.signal.reason
      const verdict = judge(error, operation)
      if (verdict === 'broken') this.leave(leg, error)
      else if (verdict === 'suspect') void this.examine(leg)
      throw error
    } finally {
      this.clock.clearTimeout(timer)
      signal.removeEventListener('abort', onAbort)
      term.signal.removeEventListener('abort', onAbort)
    }
  }

  /** Takes the leg out of use. Calls go to it again only after it has passed an examination. */
  leave(leg: Leg, cause: unknown): void {
    if (isP2plError(cause, 'NOT_RUNNING')) leg.running = false
    if (!leg.up) return
    if (this.clock.now() - leg.upSince >= stableAfter) leg.attempts = 0
    const wasActive = this.active === leg
    leg.up = false
    const message = `${leg.name} cannot be used: ${errorMessage(cause)}`
    leg.reason = errorMessage(cause)
    const error = new P2plError({ code: 'UNREACHABLE', backend: leg.name, cause, message })
    leg.term.abort(error)
    if (this.active === undefined) this.#report({ type: 'degraded', error })
    else this.#say(`${message}. ${wasActive ? this.#used() : `${this.#used()} as before`}`)
    for (const watcher of this.#watchers) watcher.left(leg, error)
    this.#retryLater(leg)
  }

  /** Takes the leg out of use if it does not answer. Never rejects. */
  async examine(leg: Leg): Promise<void> {
    if (leg.paused) return
    if (leg.trying === undefined) await this.#attempt(leg)
    else await leg.trying.catch(() => undefined)
  }

  /** Takes the leg out of use and stops it. */
  async pause(leg: Leg): Promise<void> {
    if (leg.paused) return
    leg.paused = true
    this.#noRetry(leg)
    this.leave(leg, new P2plError({ code: 'NOT_RUNNING', backend: leg.name, message: 'it was paused' }))
    leg.reason = 'it was paused'
    leg.running = false
    await leg.backend.stop()
  }

  /** Ends {@link pause}. Resolves when the leg works again, or has been tried. */
  async resume(leg: Leg): Promise<void> {
    leg.paused = false
    if (this.#opened) await this.examine(leg)
  }

  /** Starts the leg, or examines it if it runs. Returns the error if that fails; never rejects. */
  async #attempt(leg: Leg): Promise<unknown> {
    let failure: unknown
    this.#noRetry(leg)
    leg.trying = this.#try(leg).then(
      () => {
        if (!leg.degraded) this.#up(leg)
      },
      (error: unknown) => {
        failure = error
        if (isP2plError(error, 'NOT_RUNNING')) leg.running = false
        this.leave(leg, error)
      }
    )
    try {
      await leg.trying
    } finally {
      leg.trying = undefined
    }
    this.#retryLater(leg)
    return failure
  }

  async #try(leg: Leg): Promise<void> {
    const signal = this.#life
    signal.throwIfAborted()
    if (leg.running) {
      await probe(leg, this.clock, this.#options.timeout)
      return
    }
    await leg.backend.start({ signal, onEvent: (event) => this.#onEvent(leg, event) })
    if (leg.paused) {
      await leg.backend.stop()
      return
    }
    leg.running = true
    leg.degraded = false
    leg.starts++
  }

  #up(leg: Leg): void {
    if (leg.up || leg.paused || this.#life.aborted) return
    const wasDead = this.active === undefined
    leg.up = true
    leg.reason = undefined
    leg.term = new AbortController()
    leg.upSince = this.clock.now()
    this.#noRetry(leg)
    if (this.#opened) {
      if (wasDead) this.#report({ type: 'recovered' })
      else this.#say(`${leg.name} works. ${this.#used()}`)
    }
    for (const watcher of this.#watchers) watcher.up(leg)
  }

  #retryLater(leg: Leg): void {
    if (leg.up || leg.paused || !this.#opened || leg.timer !== undefined || leg.trying !== undefined) return
    const { baseDelay: first, maxDelay: longest, random } = this.#options
    const pause = backoff({ first, longest, jitter: 0.3, random }, ++leg.attempts)
    leg.timer = this.clock.setTimeout(() => void this.examine(leg), pause)
  }

  #noRetry(leg: Leg): void {
    this.clock.clearTimeout(leg.timer)
    leg.timer = undefined
  }

  #onEvent(leg: Leg, event: BackendEvent): void {
    if (event.type === 'degraded') {
      leg.degraded = true
      this.leave(leg, event.error)
    } else if (event.type === 'recovered') {
      leg.degraded = false
      if (!leg.up && leg.running) this.#up(leg)
    } else this.#report(event)
  }

  /** Keeps examining the legs in use, since one may have died without a call that noticed. */
  #beat(): void {
    this.#heartbeat = this.clock.setTimeout(() => {
      for (const leg of this.up) void this.examine(leg)
      this.#beat()
    }, this.#options.probeEvery)
  }

  #used(): string {
    const names = this.up.map(({ name }) => name)
    return names.length === 1 ? `${names.join()} is used` : `${names.join(', ')} are used, in this order`
  }

  #say(message: string): void {
    this.#report({ type: 'warning', message })
  }

  #nothingStarts(failures: readonly unknown[]): P2plError {
    const known = failures.filter((failure) => isP2plError(failure))
    const first = known.find(({ retryable }) => retryable) ?? known[0]
    return new P2plError({
      code: first?.code ?? 'ENGINE',
      retryable: first?.retryable,
      backend: this.#name,
      cause: failures[0],
      message: `none of the legs of ${this.#name} starts: ${failures.map(errorMessage).join('; ')}`
    })
  }
}

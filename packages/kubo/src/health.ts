import type { P2plError } from '@p2pl/core/backend'
import { classify } from './errors.ts'

/** `well`: the daemon answered the last look. `lost`: it did not, or its process has ended. */
export type HealthState = 'stopped' | 'well' | 'lost'

export type HealthEvent =
  /** The daemon was well, and no longer is. */
  | { readonly type: 'lost'; readonly error: P2plError }
  /** The process of a daemon that was already lost has ended. */
  | { readonly type: 'ended'; readonly error: P2plError }
  /** The daemon was lost and answers again, perhaps at another address. */
  | { readonly type: 'back' }
  /** A look found the daemon well. This is the usual event. */
  | { readonly type: 'look' }
  /** The daemon has not answered for this many milliseconds, which is too long. */
  | { readonly type: 'hung'; readonly silence: number }

export interface HealthOptions {
  /** Asks the daemon something; rejects when it does not answer. */
  readonly look: (signal: AbortSignal) => Promise<unknown>
  /** Milliseconds between two looks. */
  readonly interval: number
  /** Milliseconds after which an unanswered look rejects. */
  readonly timeout: number
  /** Milliseconds for which the daemon may fail to answer. */
  readonly hangTimeout: number
}

/** Looks at a daemon at intervals, and tells its listeners about changes. */
export class Health {
  readonly #options: HealthOptions
  readonly #listeners = new Set<(event: HealthEvent) => void>()
  #state: HealthState = 'stopped'
  #life = new AbortController()
  #timer: NodeJS.Timeout | undefined
  // The number of consecutive failed looks, and when the first of them ended.
  #failedLooks = 0
  #silentSince = 0
  // The process has ended or is being ended. Until a new one is ready, no answer counts.
  #isDown = false

  constructor(options: HealthOptions) {
    this.#options = options
  }

  get state(): HealthState {
    return this.#state
  }

  /** Calls the listener for each event until the returned function is called. */
  on(listener: (event: HealthEvent) => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  /** The daemon has just answered; the first look comes after the interval. */
  start(): void {
    this.#state = 'well'
    this.#failedLooks = 0
    this.#isDown = false
    this.#life = new AbortController()
    this.#schedule(this.#options.interval)
  }

  stop(): void {
    this.#state = 'stopped'
    clearTimeout(this.#timer)
    this.#life.abort()
  }

  /** The process of the daemon has ended. The state stays `lost` until {@link restarted}. */
  ended(error: P2plError): void {
    const isKnown = this.#isDown
    this.#isDown = true
    // A look may find the daemon gone before the supervisor says why.
    if (this.#state === 'lost' && !isKnown) this.#emit({ type: 'ended', error })
    this.#lose(error)
  }

  /**
   * The daemon is being ended. Its answers do not count until {@link restarted}, because a stalled daemon may answer
   * while it ends.
   */
  ending(): void {
    this.#isDown = true
  }

  /** The daemon was restarted and is ready. It is looked at now. */
  restarted(): void {
    this.#isDown = false
    if (this.#state === 'stopped') return
    this.#failedLooks = 0
    // A running look may have asked the process that has ended.
    this.#life.abort()
    this.#life = new AbortController()
    this.#schedule(0)
  }

  #schedule(ms: number): void {
    clearTimeout(this.#timer)
    this.#timer = setTimeout(() => void this.#look(), ms)
    this.#timer.unref()
  }

  async #look(): Promise<void> {
    const { signal } = this.#life
    try {
      await this.#options.look(signal)
      if (signal.aborted) return
      if (!this.#isDown) this.#answered()
    } catch (error) {
      if (signal.aborted) return
      this.#unanswered(classify('health', error))
    }
    this.#schedule(this.#options.interval)
  }

  #answered(): void {
    this.#failedLooks = 0
    if (this.#state === 'lost') {
      this.#state = 'well'
      this.#emit({ type: 'back' })
    }
    this.#emit({ type: 'look' })
  }

  #unanswered(error: P2plError): void {
    this.#lose(error)
    const now = performance.now()
    if (++this.#failedLooks === 1) this.#silentSince = now
    const silence = now - this.#silentSince + this.#options.timeout
    // More than two, because this process may have been blocked itself.
    if (this.#failedLooks > 2 && silence >= this.#options.hangTimeout) this.#emit({ type: 'hung', silence })
  }

  #lose(error: P2plError): void {
    if (this.#state !== 'well') return
    this.#state = 'lost'
    this.#emit({ type: 'lost', error })
  }

  #emit(event: HealthEvent): void {
    for (const listener of this.#listeners) listener(event)
  }
}

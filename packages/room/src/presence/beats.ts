import type { Environment } from '@p2pl/core'

/** Maximum number of beats per second, since strangers can cause them. */
const mostPerSecond = 4
/** Milliseconds to each of the first beats, while nobody may be connected yet. */
const early = [300, 700, 2_000] as const
/** A newcomer is answered after a random part of this many milliseconds for each peer that is here. */
const answerSpread = 20
/** A room with more peers has a slower beat. */
const peersPerPeriod = 50

export interface BeatsOptions {
  readonly environment: Environment
  readonly period: number
  readonly peers: () => number
  /** Sends a beat. `until` is the longest time until the next one, in milliseconds. */
  readonly send: (until: number) => void
}

/** Decides when this peer gives a sign of life. */
export class Beats {
  readonly #options: BeatsOptions
  #timer: unknown
  #due = Infinity
  #times: number[] = []
  #sent = 0
  #stopped = false

  constructor(options: BeatsOptions) {
    this.#options = options
  }

  /** Brings the next beat forward. */
  soon(): void {
    const { environment, peers } = this.#options
    const now = environment.clock.now()
    const spread = environment.random() * answerSpread * (1 + peers())
    this.#schedule(
      Math.max(now + Math.min(spread, this.#period), (this.#times.at(-mostPerSecond) ?? -Infinity) + 1_000)
    )
  }

  now(): void {
    if (this.#stopped) return
    const { environment, send } = this.#options
    environment.clock.clearTimeout(this.#timer)
    const now = environment.clock.now()
    this.#times = [...this.#times, now].slice(-mostPerSecond)
    this.#due = Infinity
    const wait = Math.min(early[this.#sent++] ?? Infinity, this.#period * (0.8 + 0.4 * environment.random()))
    send(Math.ceil(this.#period * 1.2))
    this.#schedule(now + wait)
  }

  stop(): void {
    this.#stopped = true
    this.#options.environment.clock.clearTimeout(this.#timer)
  }

  get #period(): number {
    return this.#options.period * Math.max(1, this.#options.peers() / peersPerPeriod)
  }

  #schedule(due: number): void {
    if (this.#stopped || due >= this.#due) return
    const { clock } = this.#options.environment
    clock.clearTimeout(this.#timer)
    this.#due = due
    this.#timer = clock.setTimeout(() => {
      this.now()
    }, due - clock.now())
  }
}

import { formatAddress, type Address } from '../address.ts'
import { sleep } from '@p2pl/embedded'
import type { Links } from '../engine/links.ts'
import type { Rendezvous } from '../engine/rendezvous.ts'
import type { Key } from '../keys.ts'

const dialsAtOnce = 8
const dialLimit = 8_000
const searchLimit = 10_000
/** While nobody is there: that often, and after so many times more slowly. */
const alonePause = 500
const eagerRounds = 40
const longestAlonePause = 15_000
/** While there are neighbours, but fewer than wanted. */
const firstFewPause = 1_000
const longestPause = 120_000
/** An address that did not answer, or is not in the topic, is left alone for this long. */
const disappointment = 10_000
const maxRemembered = 512

export interface MeetingInit {
  readonly key: Key
  readonly links: Links
  readonly rendezvous: Rendezvous
  /** How many neighbours there are, and how many are wanted. */
  readonly size: () => number
  readonly degree: number
  /** Subscribers are found by others; who only publishes is not. */
  readonly announces: () => boolean
}

/**
 * Looks for the neighbours of one topic: often while alone, so that those who start in the same second find each other, then
 * ever more rarely.
 */
export class Meeting {
  readonly #init: MeetingInit
  readonly #stopped = new AbortController()
  readonly #disappointing = new Map<string, number>()
  #dials = 0
  #rounds = 0
  #wake: (() => void) | undefined

  constructor(init: MeetingInit) {
    this.#init = init
    if (init.rendezvous.exists) void this.#run().catch(() => {})
  }

  /** A neighbour was lost, or the role has changed: looks again soon. */
  again(): void {
    this.#rounds = 0
    this.#wake?.()
  }

  stop(): void {
    this.#stopped.abort()
  }

  /** Somebody who is said to be in the topic. */
  heard(address: Address): void {
    const { links, size, degree } = this.#init
    const text = formatAddress(address)
    if (this.#stopped.signal.aborted || this.#dials >= dialsAtOnce || size() + this.#dials >= degree) return
    if (links.isOwn(address) || links.at(address) !== undefined || links.full) return
    if ((this.#disappointing.get(text) ?? 0) > performance.now()) return
    if (this.#disappointing.size >= maxRemembered) this.#disappointing.clear()
    this.#disappointing.set(text, performance.now() + disappointment)
    void this.#dial(address)
  }

  async #dial(address: Address): Promise<void> {
    this.#dials++
    try {
      await this.#init.links.dial(address, AbortSignal.any([this.#stopped.signal, AbortSignal.timeout(dialLimit)]))
    } catch {
      // One less.
    } finally {
      this.#dials--
    }
  }

  async #run(): Promise<void> {
    const { signal } = this.#stopped
    while (!signal.aborted) {
      await this.#search(AbortSignal.any([signal, AbortSignal.timeout(searchLimit)])).catch(() => {})
      if (signal.aborted) return
      await this.#pause(signal)
    }
  }

  async #search(signal: AbortSignal): Promise<void> {
    const { key, rendezvous, size, degree, announces } = this.#init
    const found = (address: Address): void => this.heard(address)
    if (announces()) await rendezvous.announce(key, found, signal)
    else if (size() < degree) await rendezvous.lookup(key, found, signal)
  }

  async #pause(signal: AbortSignal): Promise<void> {
    const { size, degree } = this.#init
    const round = this.#rounds++
    let pause = longestPause
    if (size() === 0) pause = Math.min(alonePause * 1.3 ** Math.max(0, round - eagerRounds), longestAlonePause)
    else if (size() < degree) pause = Math.min(firstFewPause * 1.6 ** round, longestPause)
    const woken = new AbortController()
    this.#wake = () => woken.abort()
    // Those who started together must not ask together for ever.
    await sleep(pause * (1 + Math.random() * 0.6), AbortSignal.any([signal, woken.signal])).catch(() => {})
    this.#wake = undefined
  }
}

import { BoundedMap, type Budget, FairSlots } from '@p2pl/core/backend'
import type { Bytes } from '../bytes.ts'
import { limits } from '../limits.ts'
import type { BorrowedBlocks } from '../serve/borrowed.ts'
import type { Timers } from '../toolbox/timers.ts'
import type { Origin } from './waiting-room.ts'

interface Missing {
  readonly digest: Bytes
  readonly id: string
  readonly since: number
  readonly giveBack: () => void
  origin: Origin
  attempts: number
  cancel: () => void
}

export interface ChaseOptions {
  readonly blocks: BorrowedBlocks
  readonly timers: Timers
  readonly signal: AbortSignal
  readonly period: number
  /** Limits how many parents are looked for at once. */
  readonly budget: Budget
  readonly random: () => number
  readonly isKnown: (sender: string) => boolean
  /** Takes the bytes of a parent, with their hash checked. */
  readonly offer: (bytes: Bytes, origin: Origin) => Promise<unknown>
  /** Asks all peers for a block. Rejects when nobody answers in time. */
  readonly ask: (digest: Bytes, sender: string) => Promise<Bytes>
  readonly abandon: (id: string) => void
  /** Called when something is missing that is found faster by comparing roots. */
  readonly onDeep: () => void
}

/**
 * Looks for missing parents by CID: first at the announcer, a few at a time, with growing pauses, and by a broadcast
 * once a fetch has failed. A parent that cannot be found is given up for a while, so that invented parents cost an
 * attacker more than they cost us.
 */
export class Chase {
  readonly #options: ChaseOptions
  readonly #slots: FairSlots
  readonly #missing: Map<string, Missing> = new Map()
  readonly #givenUp: BoundedMap<string, number> = new BoundedMap(limits.quarantined)

  constructor(options: ChaseOptions) {
    this.#options = options
    this.#slots = new FairSlots(limits.chaseParallel, (sender) => options.isKnown(sender))
  }

  get missing(): number {
    return this.#missing.size
  }

  get quarantined(): number {
    return this.#givenUp.size
  }

  oldest(): number | undefined {
    // The map is in insertion order, so the first entry is the oldest.
    for (const { since } of this.#missing.values()) return this.#options.timers.now() - since
    return undefined
  }

  add(digest: Bytes, id: string, origin: Origin): void {
    const { timers, period, budget, onDeep } = this.#options
    const known = this.#missing.get(id)
    if (known !== undefined) {
      if (known.origin.providers.length < 4) {
        known.origin = { ...known.origin, providers: [...known.origin.providers, ...origin.providers].slice(0, 4) }
      }
      return
    }
    const giveBack = origin.depth > limits.chaseDepth ? undefined : budget.take(origin.sender, 1)
    if (giveBack === undefined) {
      onDeep()
      return
    }
    const missing: Missing = { digest, id, since: timers.now(), giveBack, origin, attempts: 0, cancel: () => {} }
    this.#missing.set(id, missing)
    // Most parents are already on their way in another message.
    this.#schedule(missing, origin.depth > 1 ? 0 : Math.min(100, period / 10))
  }

  arrived(id: string): void {
    this.#givenUp.delete(id)
    this.unwanted(id)
  }

  unwanted(id: string): void {
    const missing = this.#missing.get(id)
    if (missing === undefined) return
    missing.cancel()
    missing.giveBack()
    this.#missing.delete(id)
  }

  isGivenUp(id: string): boolean {
    const until = this.#givenUp.get(id)
    if (until === undefined) return false
    if (until > this.#options.timers.now()) return true
    this.#givenUp.delete(id)
    return false
  }

  #schedule(missing: Missing, pause: number): void {
    missing.cancel = this.#options.timers.after(pause, () => {
      void this.#slots.run(missing.origin.sender, async () => {
        if (this.#wanted(missing)) await this.#fetch(missing)
      })
    })
  }

  #wanted(missing: Missing): boolean {
    return this.#missing.get(missing.id) === missing && !this.#options.signal.aborted
  }

  async #fetch(missing: Missing): Promise<void> {
    const { blocks, period, signal, random, offer, ask, abandon, onDeep, timers } = this.#options
    const { digest, id, origin } = missing
    try {
      const bytes = await blocks.fetch(digest, { providers: origin.providers, timeout: period, signal })
      await offer(bytes.slice(), origin)
    } catch {
      // No peer has it, or it does not arrive; the code below tries again.
    } finally {
      void blocks.release([digest])
    }
    if (!this.#wanted(missing)) return
    missing.attempts++
    if (missing.attempts >= limits.chaseAttempts) {
      this.unwanted(id)
      this.#givenUp.set(id, timers.now() + 100 * period)
      abandon(id)
      return
    }
    onDeep()
    // Rejects when nobody answers. The next attempt is scheduled anyway.
    ask(digest, origin.sender)
      .then(async (bytes) => {
        if (this.#wanted(missing)) await offer(bytes, origin)
      })
      .catch(() => undefined)
    this.#schedule(missing, period * 2 ** (missing.attempts - 1) * (0.5 + random()))
  }
}

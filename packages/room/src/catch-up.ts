import type { Environment } from '@p2pl/core'
import { BoundedMap } from '@p2pl/core/backend'
import type { RemoteStay } from './presence/remote-stay.ts'

/** Number of peers that a newcomer asks for the history. */
const atFirst = 2
/** Minimum pause between later questions, in milliseconds. */
const distance = 2_000
const maxGone = 1_024

export interface CatchUpOptions {
  readonly environment: Environment
  readonly here: () => RemoteStay[]
  /** Rejects when there was no answer. */
  readonly ask: (stay: RemoteStay) => Promise<void>
}

/**
 * Decides which peers to ask for messages that this peer has missed: the first peers that it meets, a peer that returns
 * after it was out of reach, and the author of messages that were lost.
 */
export class CatchUp {
  readonly #options: CatchUpOptions
  readonly #gone = new BoundedMap<string, true>(maxGone)
  /** Ids of peers that are still to be asked. */
  readonly #owing = new Set<string>()
  #asked = 0
  #timer: unknown
  #stopped = false

  constructor(options: CatchUpOptions) {
    this.#options = options
  }

  came({ sender }: RemoteStay): void {
    if (this.#asked++ < atFirst || this.#gone.delete(sender)) this.#owes(sender, 0)
  }

  went({ sender }: RemoteStay): void {
    this.#gone.set(sender, true)
  }

  /** Messages of this author were lost, or of an unknown author if there is no `sender`. */
  lost(sender: string | undefined): void {
    const { here, environment } = this.#options
    const present = here()
    const one = sender ?? present[Math.floor(environment.random() * present.length)]?.sender
    if (one !== undefined && present.some((stay) => stay.sender === one)) this.#owes(one, distance)
  }

  stop(): void {
    this.#stopped = true
    this.#options.environment.clock.clearTimeout(this.#timer)
  }

  #owes(sender: string, wait: number): void {
    this.#owing.add(sender)
    if (this.#stopped || this.#timer !== undefined) return
    this.#timer = this.#options.environment.clock.setTimeout(() => void this.#next(), wait)
  }

  async #next(): Promise<void> {
    const stay = this.#options.here().find(({ sender }) => this.#owing.has(sender))
    if (stay === undefined) {
      // Peers that have gone are asked when they return.
      this.#owing.clear()
      this.#timer = undefined
      return
    }
    this.#owing.delete(stay.sender)
    const answered = await this.#options.ask(stay).then(
      () => true,
      () => false
    )
    this.#timer = undefined
    if (!answered && stay.state === 'here') this.#owing.add(stay.sender)
    const [another] = this.#owing
    if (another !== undefined) this.#owes(another, distance)
  }
}

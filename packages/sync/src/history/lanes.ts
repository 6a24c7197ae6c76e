import { P2plError } from '@p2pl/core'
import type { Claim } from './frame.ts'
import type { Logged } from './log.ts'
import type { Held } from './payloads.ts'

/** The outcome of the payload that the first message of a lane waits for. */
export type Settled = { readonly payload: Uint8Array; readonly release?: () => void } | { readonly error: unknown }

interface Lane {
  /** The first message, whose payload is being fetched. */
  head: Logged
  settled: Settled | undefined
  stop: AbortController
  /** Places of the sender's later messages. */
  readonly behind: number[]
}

export interface LanesOptions {
  readonly fetch: (claim: Claim, signal: AbortSignal) => Promise<Held>
  readonly read: (place: number) => Promise<Logged | undefined>
  /** Called when a lane has something to deliver. */
  readonly onSettled: () => void
}

/**
 * Senders whose next message waits for a large payload. Their later messages wait behind it, stored only as places;
 * other senders do not wait. Each sender has one fetch at a time.
 */
export class Lanes {
  readonly #options: LanesOptions
  readonly #lanes: Map<string, Lane> = new Map()

  constructor(options: LanesOptions) {
    this.#options = options
  }

  has(sender: string): boolean {
    return this.#lanes.has(sender)
  }

  /** Adds a message with a large payload, or any message of a sender that has a lane. */
  add(logged: Logged): void {
    const { author } = logged.entry
    const lane = this.#lanes.get(author)
    if (lane !== undefined) {
      lane.behind.push(logged.place)
      return
    }
    const made: Lane = { head: logged, settled: undefined, stop: new AbortController(), behind: [] }
    this.#lanes.set(author, made)
    this.#begin(made)
  }

  /** The next message whose payload is settled. */
  async take(): Promise<{ readonly logged: Logged; readonly settled: Settled } | undefined> {
    for (const [sender, lane] of this.#lanes) {
      const { head, settled } = lane
      if (settled === undefined) continue
      const next = await this.#next(lane)
      if (next === undefined) this.#lanes.delete(sender)
      else {
        lane.head = next
        this.#begin(lane)
      }
      if ('payload' in settled) settled.release?.()
      return { logged: head, settled }
    }
    return undefined
  }

  /** Gives up the payload that holds up the most messages. */
  giveUp(): void {
    const lanes = [...this.#lanes.values()].filter(({ settled }) => settled === undefined)
    const [longest] = lanes.sort((a, b) => b.behind.length - a.behind.length)
    if (longest !== undefined) this.#settle(longest, { error: overloaded() })
  }

  stop(): void {
    for (const { stop } of this.#lanes.values()) stop.abort()
    this.#lanes.clear()
  }

  async #next(lane: Lane): Promise<Logged | undefined> {
    for (let place = lane.behind.shift(); place !== undefined; place = lane.behind.shift()) {
      const logged = await this.#options.read(place)
      if (logged !== undefined) return logged
    }
    return undefined
  }

  #begin(lane: Lane): void {
    const { content } = lane.head.frame
    lane.settled = content instanceof Uint8Array ? { payload: content } : undefined
    if (!(content instanceof Uint8Array)) void this.#fetch(lane, content)
  }

  async #fetch(lane: Lane, claim: Claim): Promise<void> {
    const { head } = lane
    const stop = new AbortController()
    lane.stop = stop
    const isOver = (): boolean => lane.head !== head || lane.settled !== undefined
    try {
      const held = await this.#options.fetch(claim, stop.signal)
      if (isOver()) held.release()
      else this.#settle(lane, held)
    } catch (error) {
      if (!isOver()) this.#settle(lane, { error })
    }
  }

  #settle(lane: Lane, settled: Settled): void {
    lane.settled = settled
    lane.stop.abort()
    this.#options.onSettled()
  }
}

function overloaded(): P2plError {
  const message = 'too many messages wait for large payloads'
  return new P2plError({ code: 'OVERLOADED', operation: 'subscribe', message })
}

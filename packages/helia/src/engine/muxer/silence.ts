import { systemClock } from '@p2pl/core/backend'

/** A connection, as far as it can be silent. */
export interface Line {
  /** Whether it was made from here. */
  readonly dialled: boolean
  /** Whether it has ended by itself. */
  ended(): boolean
  /** Whether something has come that is not yet worked on. */
  busy(): boolean
  /** Asks the peer for a sign of life. */
  ask(): void
  /** Ends it: the peer has not answered. */
  giveUp(): void
}

/** Length of a tick (ms). */
const tick = 1_000
/** Ticks of silence after which the peer is asked: by the side that has dialled, and by the other one if that has not asked. */
const askAfter = { dialled: 3, accepted: 4 } as const
/** Ticks of silence after which the connection is given up. */
const giveUpAfter = 8

/**
 * Notices connections that went half-open, within some nine seconds, by a few packets: only a peer that has said nothing for a
 * while is asked, and the question is a sign of life for the other side. The library asks on each connection in both
 * directions every few seconds, by a stream of its own, also while data arrives.
 *
 * It counts ticks, not time: a process that stood still reads its sockets before the next tick, and gives up nobody.
 */
export class Silence {
  readonly #lines = new Map<Line, number>()

  watch(line: Line): void {
    if (this.#lines.size === 0) this.#schedule()
    this.#lines.set(line, 0)
  }

  /** Something has come. */
  heard(line: Line): void {
    if (this.#lines.has(line)) this.#lines.set(line, 0)
  }

  #schedule(): void {
    systemClock.setTimeout(() => {
      for (const [line, silent] of this.#lines) this.#count(line, line.busy() ? 0 : silent + 1)
      if (this.#lines.size > 0) this.#schedule()
    }, tick)
  }

  #count(line: Line, silent: number): void {
    this.#lines.set(line, silent)
    if (silent === (line.dialled ? askAfter.dialled : askAfter.accepted)) line.ask()
    if (silent < giveUpAfter && !line.ended()) return
    this.#lines.delete(line)
    if (!line.ended()) line.giveUp()
  }
}

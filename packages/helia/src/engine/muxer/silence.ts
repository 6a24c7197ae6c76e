import { systemClock } from '@p2pl/core/backend'

/** The part of a connection that this module needs. */
export interface Line {
  /** Whether this side dialled it. */
  readonly dialled: boolean
  /** Whether it has already ended. */
  ended(): boolean
  /** Whether received data is still unprocessed. */
  busy(): boolean
  /** Pings the peer. */
  ask(): void
  /** Closes the connection because the peer has not answered. */
  giveUp(): void
}

/** Length of a tick (ms). */
const tick = 1_000
/**
 * Ticks of silence after which the peer is pinged: by the side that dialled, and by the other side if the dialling side
 * has not pinged.
 */
const askAfter = { dialled: 3, accepted: 4 } as const
/** Ticks of silence after which the connection is closed. */
const giveUpAfter = 8

/**
 * Detects half-open connections within some nine seconds, with a few packets. It pings only a peer that has been silent
 * for a while, and the ping also shows the other side that this one is alive. The library pings on each connection in
 * both directions every few seconds, on a separate stream, even while data arrives.
 *
 * It counts ticks, not time: a process that was blocked reads its sockets before the next tick, so it closes no
 * connection by mistake.
 */
export class Silence {
  readonly #lines = new Map<Line, number>()

  watch(line: Line): void {
    if (this.#lines.size === 0) this.#schedule()
    this.#lines.set(line, 0)
  }

  /** Data arrived. */
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

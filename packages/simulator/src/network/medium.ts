import type { Random } from '../random.ts'
import type { SimulatorOptions } from '../options.ts'
import type { EventQueue, Scheduled } from '../time/queue.ts'
import type { Trace, TraceKind } from '../trace.ts'
import type { Disturbances, Way } from './disturbance.ts'
import { latencySampler } from './latency.ts'
import type { Node } from './node.ts'

const counters = { message: 'messages', request: 'requests', response: 'responses' } as const
/** The kinds of things that are sent. */
type Kind = keyof typeof counters

/**
 * Maximum number of turns of the event loop in one millisecond, so that code that takes turns forever does not stop virtual
 * time.
 */
const maxTurns = 1000

/** Time, chance and ways. Everything that is sent goes through {@link send}. */
export class Medium {
  readonly queue: EventQueue
  readonly random: Random
  readonly trace: Trace
  readonly disturbances: Disturbances
  readonly counts = { published: 0, delivered: 0, fetched: 0, lost: 0, blocked: 0 }
  /** Virtual milliseconds since the simulator was made. */
  now = 0
  readonly #options: SimulatorOptions
  readonly #sample: (random: Random) => number
  readonly #bytesPerMs: number
  #turns = 0
  #turnsAt = -1

  constructor(options: SimulatorOptions, queue: EventQueue, random: Random, trace: Trace, disturbances: Disturbances) {
    this.queue = queue
    this.random = random
    this.trace = trace
    this.disturbances = disturbances
    this.#options = options
    this.#sample = latencySampler(options.latency ?? { median: 40, sigma: 0.5 })
    this.#bytesPerMs = (options.bandwidth ?? Infinity) / 1000
  }

  /** Calls `run` after `ms` milliseconds, at least 1, so that time always moves. */
  after(ms: number, run: () => boolean): Scheduled {
    const event = { at: this.now + (ms > 1 ? Math.ceil(ms) : 1), order: 0, cancelled: false, run }
    this.queue.push(event)
    return event
  }

  /**
   * Calls `run` in this millisecond, after all promise work has settled. After very many turns it is called in the next
   * millisecond.
   */
  nextTurn(run: () => boolean): void {
    if (this.#turnsAt !== this.now) this.#turns = 0
    this.#turnsAt = this.now
    const at = this.#turns++ < maxTurns ? this.now : this.now + 1
    this.queue.push({ at, order: 0, cancelled: false, run })
  }

  chance(probability: number): boolean {
    return probability > 0 && this.random() < probability
  }

  way(from: Node, to: Node): Way {
    return this.disturbances.way(from.id, to.id)
  }

  /** Whether something that `from` sends could reach `to` now. */
  open(from: Node, to: Node): boolean {
    return from.endpoint !== undefined && to.endpoint !== undefined && !this.disturbances.blocked(from.id, to.id)
  }

  /** A random latency from one node to the other. */
  latency(from: Node, to: Node, way: Way, bytes: number): number {
    let latency = this.#sample(this.random) * from.slowness * to.slowness + way.delay
    const { reorder } = this.#options
    if (reorder !== undefined && this.chance(reorder.probability)) latency += this.random() * reorder.by
    if (this.#bytesPerMs !== Infinity) {
      from.uplinkFree = Math.max(from.uplinkFree, this.now) + bytes / this.#bytesPerMs
      latency += from.uplinkFree - this.now
    }
    return latency
  }

  /**
   * Sends something that may get lost. `arrive` returns whether it called code outside of the simulator. Only the process
   * that it was sent to receives it: a rebooted host has lost its connections.
   */
  send(from: Node, to: Node, kind: Kind, bytes: number, content: number, arrive: () => boolean): void {
    const way = this.way(from, to)
    const receiver = to.endpoint
    if (way.blocked || receiver === undefined) {
      this.#note('blocked', from, to, bytes, content)
      return
    }
    from.traffic[counters[kind]]++
    from.traffic.sentBytes += bytes
    if (this.chance(way.loss)) {
      this.#note('lost', from, to, bytes, content)
      return
    }
    this.after(this.latency(from, to, way, bytes), () => {
      if (to.endpoint !== receiver || this.disturbances.blocked(from.id, to.id)) {
        this.#note('blocked', from, to, bytes, content)
        return false
      }
      to.traffic.receivedBytes += bytes
      this.#note(kind, from, to, bytes, content)
      return arrive()
    })
  }

  note(kind: TraceKind, node: Node): void {
    this.#note(kind, node, node, 0, 0)
  }

  #note(kind: TraceKind, from: Node, to: Node, bytes: number, content: number): void {
    this.trace.add(this.now, kind, from.index, to.index, content)
    if (kind === 'lost') this.counts.lost++
    else if (kind === 'blocked') this.counts.blocked++
    this.#options.onTrace?.({ at: this.now, kind, from: from.id, to: to.id, bytes })
  }
}

/** Wrong bytes in place of the right ones. */
export function garbage(random: Random, bytes: Uint8Array): Uint8Array {
  const wrong = bytes.byteLength === 0 ? new Uint8Array(32) : bytes.slice()
  for (let i = 0; i < 8; i++) {
    const at = Math.floor(random() * wrong.byteLength)
    wrong[at] = (wrong[at] as number) ^ (1 + Math.floor(random() * 255))
  }
  return wrong
}

import type { Latency } from './network/latency.ts'
import type { TraceEvent } from './trace.ts'

export interface SimulatorOptions {
  /** Decides everything that is left to chance. Runs with equal seeds and equal code are equal. */
  readonly seed: number | string
  /** One way from host to host, rounded up to whole milliseconds, at least 1. Default log-normal, median 40, sigma 0.5. */
  readonly latency?: Latency | undefined
  /** Probability that a message, a request or a response gets lost. Default 0. */
  readonly loss?: number | undefined
  /** Probability that a message is delivered twice. Default 0. */
  readonly duplicate?: number | undefined
  /** With this probability something takes up to `by` milliseconds longer, so that later things overtake it. Default none. */
  readonly reorder?: { readonly probability: number; readonly by: number } | undefined
  /** Most that a host can send, bytes per second; the rest queues up. Default `Infinity`. */
  readonly bandwidth?: number | undefined
  /**
   * Default: a publish goes straight to every subscriber in reach. With `mesh` it goes to about `degree` peers,
   * which pass it on when they accept it. `heartbeat`: how long until the mesh adapts to a change, ms, default 1,000.
   */
  readonly mesh?: { readonly degree: number; readonly heartbeat?: number | undefined } | undefined
  /**
   * Which hosts are asked for a block: `anyone` in reach that has it, as by an engine that asks all its connections (default),
   * or only the `known` ones: hinted, connected, or with a provider record.
   */
  readonly discovery?: 'anyone' | 'known' | undefined
  /** How long a host waits for a response before it asks another one, milliseconds. Default 1,000. */
  readonly requestTimeout?: number | undefined
  /** How long a block that was put stays at risk of `crash({ unsynced: 'lost' })`, milliseconds. Default 1,000. */
  readonly syncDelay?: number | undefined
  /** What a wall clock without skew shows at the beginning, milliseconds since the Unix epoch. Default 2030-01-01. */
  readonly epoch?: number | undefined
  /** Bytes. Default 1 MiB. */
  readonly maxMessageBytes?: number | undefined
  /** Bytes. Default 2 MiB. */
  readonly maxBlockBytes?: number | undefined
  /** Called for every event on the network. Slow: for looking at one failing seed. */
  readonly onTrace?: ((event: TraceEvent) => void) | undefined
}

/** Counts since the beginning. */
export interface SimulatorStats {
  /** Events of virtual time, timers included. */
  readonly events: number
  /** How often the code under test ran and had to settle. */
  readonly turns: number
  readonly published: number
  /** Messages handed to a backend, copies included. */
  readonly delivered: number
  /** Blocks that arrived from another host. */
  readonly fetched: number
  readonly lost: number
  /** Sent, but stopped by a blocked way or a host that was gone. */
  readonly blocked: number
}

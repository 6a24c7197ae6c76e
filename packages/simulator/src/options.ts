import type { Latency } from './network/latency.ts'
import type { TraceEvent } from './trace.ts'

export interface SimulatorOptions {
  /** Decides everything that is left to chance. Runs with the same seed and the same code are equal. */
  readonly seed: number | string
  /** Latency from one host to another, rounded up to whole milliseconds; at least 1. Default log-normal, median 40, sigma 0.5. */
  readonly latency?: Latency | undefined
  /** Probability that a message, a request or a response gets lost. Default 0. */
  readonly loss?: number | undefined
  /** Probability that a message is delivered twice. Default 0. */
  readonly duplicate?: number | undefined
  /** With this probability a message takes up to `by` milliseconds longer, so that later ones overtake it. Default none. */
  readonly reorder?: { readonly probability: number; readonly by: number } | undefined
  /** Maximum bytes per second that a host can send; the rest queues up. Default `Infinity`. */
  readonly bandwidth?: number | undefined
  /**
   * Default: a publish goes directly to every reachable subscriber. With `mesh` it goes to about `degree` peers, which pass
   * it on if they accept it. `heartbeat`: milliseconds until the mesh adapts to a change, default 1,000.
   */
  readonly mesh?: { readonly degree: number; readonly heartbeat?: number | undefined } | undefined
  /**
   * Which hosts are asked for a block: `anyone` that is reachable and has it, like an engine that asks all its connections
   * (default), or only the `known` hosts: hinted, connected, or with a provider record.
   */
  readonly discovery?: 'anyone' | 'known' | undefined
  /** Milliseconds that a host waits for a response before it asks another host. Default 1,000. */
  readonly requestTimeout?: number | undefined
  /** Milliseconds for which a stored block stays at risk of `crash({ unsynced: 'lost' })`. Default 1,000. */
  readonly syncDelay?: number | undefined
  /** Start time of a wall clock without skew, in milliseconds since the Unix epoch. Default 2030-01-01. */
  readonly epoch?: number | undefined
  /** Bytes. Default 1 MiB. */
  readonly maxMessageBytes?: number | undefined
  /** Bytes. Default 2 MiB. */
  readonly maxBlockBytes?: number | undefined
  /** Called for every event on the network. Slow; meant for the analysis of one failing seed. */
  readonly onTrace?: ((event: TraceEvent) => void) | undefined
}

/** Counts since the beginning. */
export interface SimulatorStats {
  /** Events in virtual time, including timers. */
  readonly events: number
  /** How often the code under test ran and had to settle. */
  readonly turns: number
  readonly published: number
  /** Messages handed to a backend, including copies. */
  readonly delivered: number
  /** Blocks that arrived from another host. */
  readonly fetched: number
  readonly lost: number
  /** Sent, but stopped by a blocked way or a missing host. */
  readonly blocked: number
}

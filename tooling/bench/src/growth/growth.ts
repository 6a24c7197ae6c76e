import type { Role } from '../harness/child.ts'

/**
 * Figures that grow with the number of peers, by name and unit. Bytes are relative to the optimum, in which each byte
 * goes once to each receiver.
 */
export interface Growing {
  measure(): Promise<Readonly<Record<string, number>>>
}

/** A module that measures one number of peers, in the simulator, in a separate process. */
export type GrowthRole = Role<{ readonly peers: number }, Growing>

export interface Growth {
  /** The name for `--only`. */
  readonly name: string
  /** What is measured, in one line. */
  readonly title: string
  readonly role: URL
  /** Numbers of peers. `quick` runs only the first two; the last one runs only with `--long`. */
  readonly sizes: readonly number[]
}

export const growths: readonly Growth[] = [
  {
    name: 'growth-topic',
    title:
      'peers of core that are subscribed to one topic of a simulated gossip mesh of degree 6, 20 messages of 256 B',
    role: new URL('./topic.ts', import.meta.url),
    sizes: [10, 100, 1_000, 5_000]
  },
  {
    name: 'growth-sync',
    title:
      'views of simulated peers in one topic, to which 10 peers append one entry each, until all digests are equal',
    role: new URL('./sync.ts', import.meta.url),
    // Each view hears all others, so the work grows with the square of the number.
    sizes: [10, 100, 300, 1_000]
  }
]

import type { Role } from '../harness/child.ts'

/** What grows with the number of peers: figures by name and unit. Bytes are in terms of the optimum, in which each byte goes once to each receiver. */
export interface Growing {
  measure(): Promise<Readonly<Record<string, number>>>
}

/** A module that measures one number of peers, in the simulator, in a process of its own. */
export type GrowthRole = Role<{ readonly peers: number }, Growing>

export interface Growth {
  /** For `--only`. */
  readonly name: string
  /** What is measured, in one line. */
  readonly title: string
  readonly role: URL
  /** Numbers of peers. With `quick` the first two; the last one only with `--long`. */
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
    // Each view hears each other one, so the work grows as their square.
    sizes: [10, 100, 300, 1_000]
  }
]

import type { Meter } from './meter.ts'

/** How much to measure: `quick` for a first look, full for figures that are recorded. */
export interface Context {
  readonly quick: boolean
  /** A folder that is removed at the end. */
  readonly folder: string
  /** Where children write CPU profiles. */
  readonly profile: string | undefined
  /** Counts the usage of this side's processes. */
  readonly meter: Meter
  /** Adds a note about the result that a reader should know: losses, sizes. */
  note(text: string): void
}

export interface Run {
  /** In the unit of the scenario. */
  readonly figure: number
  /** The amount of work, in any unit that the scenario counts. Processor time and bytes are given per unit. */
  readonly work: number
  /** Further figures of the same run, by name and unit: `p99 ms`. */
  readonly also?: Readonly<Record<string, number>>
}

/** One side of a comparison, set up and ready to be measured any number of times. */
export interface Side {
  run(): Promise<Run>
  /** Children end by themselves. */
  close?(): Promise<void>
}

/**
 * `p2pl`: p2pl on some backend · `engine`: the same engine without p2pl · `alternative`: what a user could use instead
 * · `limit`: only the part of the work that sets the limit.
 */
export type Kind = 'p2pl' | 'engine' | 'alternative' | 'limit'

export interface Contender {
  /** The label for `--side`, and in the table. */
  readonly label: string
  readonly kind: Kind
  /** The ratio that p2pl has to reach against this side. */
  readonly aim?: number | undefined
  prepare(context: Context): Promise<Side>
}

export interface Scenario {
  /** The name for `--only`. */
  readonly name: string
  /** What is measured, in one line. */
  readonly title: string
  readonly unit: string
  readonly better: 'higher' | 'lower'
  /** The figure that p2pl has to reach. */
  readonly aim?: number | undefined
  /** The first is the subject, p2pl; the others are compared with it. */
  readonly sides: readonly [subject: Contender, ...others: Contender[]]
  /** Measured runs of each side. Default 7; always 3 with `quick`. */
  readonly runs?: number | undefined
}

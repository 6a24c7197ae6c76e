import type { CpuMeter } from './cpu.ts'

/** How much of everything: `quick` for a look, full for figures that are written down. */
export interface Context {
  readonly quick: boolean
  /** A folder that is removed at the end. */
  readonly folder: string
  /** Where children leave CPU profiles, if they are to. */
  readonly profile: string | undefined
  /** Counts the children of this side. */
  readonly cpu: CpuMeter
  /** Says something about the result that a reader should know: losses, sizes. */
  note(text: string): void
}

export interface Run {
  /** In the unit of the scenario. */
  readonly figure: number
  /** How much was done, in whatever the scenario counts: processor time is given for one of it. */
  readonly work: number
}

/** One side of a comparison, set up and ready to be measured any number of times. */
export interface Side {
  run(): Promise<Run>
  close(): Promise<void>
}

export interface Scenario {
  /** For `--only`. */
  readonly name: string
  /** What is measured, in one line. */
  readonly title: string
  readonly unit: string
  readonly better: 'higher' | 'lower'
  /** What the row has to reach: a ratio to the baseline, or a figure of its own. Without one it informs. */
  readonly aim?: { readonly ratio: number } | { readonly value: number }
  readonly baseline: { readonly label: string; prepare(context: Context): Promise<Side> }
  readonly subject: { readonly label: string; prepare(context: Context): Promise<Side> }
  /** Measured runs of each side. Default 7; always 3 with `quick`. */
  readonly runs?: number | undefined
}

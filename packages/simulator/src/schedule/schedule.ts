export interface Timed {
  /** Start, in milliseconds after the beginning of the schedule. */
  readonly at: number
  /** Duration in milliseconds. */
  readonly for: number
}

/** One temporary fault. Faults are independent, so any part of a schedule is a schedule. */
export type Fault =
  /** Nothing passes between groups. Hosts in no group form their own group. */
  | (Timed & { readonly kind: 'partition'; readonly groups: readonly (readonly string[])[] })
  /** Nothing passes in this one direction. */
  | (Timed & { readonly kind: 'block'; readonly from: readonly string[]; readonly to: readonly string[] })
  /**
   * The process ends without warning and is booted again afterwards. With `power`, unsynced blocks are lost. From then on
   * the host's wall clock is `skew` ms further ahead, or behind if `skew` is negative.
   */
  | (Timed & { readonly kind: 'crash'; readonly host: string; readonly power: boolean; readonly skew: number })
  | (Timed & { readonly kind: 'loss'; readonly probability: number })
  | (Timed & { readonly kind: 'duplication'; readonly probability: number })
  | (Timed & { readonly kind: 'delay'; readonly from: readonly string[]; readonly ms: number })
  | (Timed & { readonly kind: 'slow'; readonly host: string; readonly factor: number })
  | (Timed & { readonly kind: 'lie'; readonly host: string; readonly blocks: number; readonly messages: number })
  /** The host's wall clock jumps by `skew` ms, and back at the end. */
  | (Timed & { readonly kind: 'clock'; readonly host: string; readonly skew: number })
  /** The host is booted only when this fault is over. `at` is 0. */
  | (Timed & { readonly kind: 'late'; readonly host: string })

export type FaultKind = Fault['kind']

/** The faults of a set of hosts, as plain data: it can be printed, stored and made smaller. */
export interface Schedule {
  readonly hosts: readonly string[]
  /** Ordered by start time. */
  readonly faults: readonly Fault[]
  /** When all faults are over, in milliseconds after the beginning. */
  readonly duration: number
}

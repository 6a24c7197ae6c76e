import type { Timers } from '../toolbox/timers.ts'

/**
 * What a replica is doing:
 * - `alone`: no peer was heard for some periods. Entries are not announced one by one, because a peer that joins
 *   compares roots first.
 * - `in company`: other peers are there.
 * - `catching up`: a walk is taking in many entries. Half a view is no news to anybody, and computing its index would
 *   delay the other half.
 */
export type State = 'alone' | 'in company' | 'catching up'

/**
 * `announce`: send the entries. `soon`, `later`: send a beacon within that part of a period. `keep`: report it when the
 * walk is over.
 */
export type Effect = 'announce' | 'soon' | 'later' | 'keep'

/** The effects of each event in each state. A state is left when its condition ends, which is checked at each event. */
const table: Record<
  State,
  { readonly own: readonly Effect[]; readonly others: readonly Effect[]; readonly due: boolean }
> = {
  alone: { own: ['later'], others: ['later'], due: true },
  'in company': { own: ['announce', 'soon'], others: ['later'], due: true },
  'catching up': { own: ['announce', 'soon'], others: ['keep'], due: false }
}

/** After this many periods without a message, nobody seems to be there. */
const companyPeriods = 6

export class ReplicaState {
  readonly #timers: Timers
  readonly #period: number
  readonly #isCatchingUp: () => boolean
  #heardAt = -Infinity
  /** Whether entries of others were not reported yet because of catching up. */
  #kept = false
  /** Whether own entries are in no beacon yet. */
  #ownUntold = false

  constructor(timers: Timers, period: number, isCatchingUp: () => boolean) {
    this.#timers = timers
    this.#period = period
    this.#isCatchingUp = isCatchingUp
  }

  get current(): State {
    if (this.#isCatchingUp()) return 'catching up'
    return this.#timers.now() - this.#heardAt <= companyPeriods * this.#period ? 'in company' : 'alone'
  }

  /** A message of another peer arrived. */
  heard(): void {
    this.#heardAt = this.#timers.now()
  }

  /** Entries were committed. `own`: own entries are among them. */
  committed(own: boolean): readonly Effect[] {
    const effects = table[this.current][own ? 'own' : 'others']
    if (own) this.#ownUntold = true
    if (effects.includes('keep')) this.#kept = true
    return effects
  }

  /** A walk has ended: reports what was held back. */
  walked(): readonly Effect[] {
    const kept = this.#kept
    this.#kept = false
    return kept ? ['later'] : []
  }

  /** Whether to send a beacon that is due. Own entries and questions are never held back. */
  due(asks: boolean): boolean {
    return table[this.current].due || this.#ownUntold || asks
  }

  /** A beacon was sent, or could not be sent. */
  told(sent: boolean): void {
    this.#ownUntold = !sent
  }
}

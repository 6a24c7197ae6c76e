import type { Timers } from '../toolbox/timers.ts'

/**
 * What a replica is doing:
 * - `alone`: nobody was heard for some periods. Entries are not announced one by one: a peer that comes compares roots first.
 * - `in company`: others are there.
 * - `catching up`: a walk is taking in many entries. Half a view is news to nobody, and making its index holds up the other half.
 */
export type State = 'alone' | 'in company' | 'catching up'

/** `announce`: send the entries. `soon`, `later`: a beacon after that part of a period. `keep`: tell when the walk is over. */
export type Effect = 'announce' | 'soon' | 'later' | 'keep'

/** What each event does in each state. A state is left when its condition ends, which is looked at with every event. */
const table: Record<
  State,
  { readonly own: readonly Effect[]; readonly others: readonly Effect[]; readonly due: boolean }
> = {
  alone: { own: ['later'], others: ['later'], due: true },
  'in company': { own: ['announce', 'soon'], others: ['later'], due: true },
  'catching up': { own: ['announce', 'soon'], others: ['keep'], due: false }
}

/** Periods without a message after which nobody seems to be there. */
const companyPeriods = 6

export class ReplicaState {
  readonly #timers: Timers
  readonly #period: number
  readonly #isCatchingUp: () => boolean
  #heardAt = -Infinity
  /** Entries of others were kept from them while catching up. */
  #kept = false
  /** Own entries are in no beacon yet. */
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

  /** A message of another peer came. */
  heard(): void {
    this.#heardAt = this.#timers.now()
  }

  /** Entries were committed, own ones among them or not. */
  committed(own: boolean): readonly Effect[] {
    const effects = table[this.current][own ? 'own' : 'others']
    if (own) this.#ownUntold = true
    if (effects.includes('keep')) this.#kept = true
    return effects
  }

  /** A walk is over: what was kept is told. */
  walked(): readonly Effect[] {
    const kept = this.#kept
    this.#kept = false
    return kept ? ['later'] : []
  }

  /** Whether a beacon that is due is sent: own entries and questions are never kept. */
  due(asks: boolean): boolean {
    return table[this.current].due || this.#ownUntold || asks
  }

  /** A beacon was sent, or could not be. */
  told(sent: boolean): void {
    this.#ownUntold = !sent
  }
}

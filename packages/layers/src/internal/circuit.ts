import { type Clock, isP2plError, type LayerCall, P2plError } from '@p2pl/core/backend'

/** `half-open`: one call is tried, and all others are refused. */
export type CircuitState = 'closed' | 'open' | 'half-open'

/** How a call ended, as far as the backend is concerned. */
export type Judgement = 'good' | 'bad' | 'neither'

export interface CircuitOptions {
  readonly clock: Clock
  readonly window: number
  readonly minCalls: number
  readonly failureShare: number
  /** Milliseconds that the circuit stays open for the nth time in a row. */
  readonly pause: (attempt: number) => number
  readonly onState: (state: CircuitState) => void
}

export class Circuit {
  readonly #options: CircuitOptions
  #state: CircuitState = 'closed'
  /** The latest calls, the oldest first: whether each one failed. */
  #last: boolean[] = []
  #openings = 0
  #until = 0
  #trial = false

  constructor(options: CircuitOptions) {
    this.#options = options
  }

  /** Throws if the call is refused. Report the outcome to the returned function; only the first report counts. */
  enter(call: LayerCall): (judgement: Judgement) => void {
    if (this.#state === 'open') {
      const rest = this.#until - this.#options.clock.now()
      if (rest > 0) throw refusal(call, rest)
      this.#change('half-open')
    }
    if (this.#state === 'closed') return once((judgement) => this.#count(judgement))
    if (this.#trial) throw refusal(call, 0)
    this.#trial = true
    return once((judgement) => {
      this.#trial = false
      if (judgement === 'good') this.#close()
      else if (judgement === 'bad') this.#open()
      // If neither, nothing is known yet, and the next call is the trial.
    })
  }

  #count(judgement: Judgement): void {
    // A call that began before the circuit opened says nothing new.
    if (judgement === 'neither' || this.#state !== 'closed') return
    const { window, minCalls, failureShare } = this.#options
    this.#last.push(judgement === 'bad')
    if (this.#last.length > window) this.#last.shift()
    const failures = this.#last.filter(Boolean).length
    if (this.#last.length >= minCalls && failures >= failureShare * this.#last.length) this.#open()
  }

  #open(): void {
    const { clock, pause } = this.#options
    this.#until = clock.now() + pause(++this.#openings)
    this.#change('open')
  }

  #close(): void {
    this.#openings = 0
    this.#last = []
    this.#change('closed')
  }

  #change(state: CircuitState): void {
    this.#state = state
    this.#options.onState(state)
  }
}

function once(use: (judgement: Judgement) => void): (judgement: Judgement) => void {
  let used = false
  return (judgement) => {
    if (used) return
    used = true
    use(judgement)
  }
}

/** Whether an error is the backend's fault. */
export function judge(error: unknown, { operation, options }: LayerCall): Judgement {
  if (!isP2plError(error)) return 'neither'
  switch (error.code) {
    case 'UNREACHABLE':
    case 'PROTOCOL':
    case 'OVERLOADED':
      return 'bad'
    case 'TIMEOUT': {
      const waitsForOthers =
        (operation === 'blocks.get' && options.local !== true) ||
        operation === 'blocks.pin' ||
        (operation.startsWith('routing.') && operation !== 'routing.connections')
      return waitsForOthers ? 'neither' : 'bad'
    }
    case 'NOT_FOUND':
    case 'NO_PEERS':
      return 'good'
    default:
      return 'neither'
  }
}

function refusal({ operation, backend }: LayerCall, rest: number): P2plError {
  const when = rest > 0 ? `the next trial is in ${Math.ceil(rest)} ms` : 'a trial is under way'
  return new P2plError({
    code: 'UNREACHABLE',
    operation,
    backend,
    exhausted: true,
    message: `${operation} is refused because "${backend}" failed it repeatedly: ${when} (circuitBreaker layer)`
  })
}

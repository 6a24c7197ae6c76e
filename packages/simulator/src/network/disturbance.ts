import { failure } from '../errors.ts'

/** A fault on the ways from some hosts to others. It lasts until it is ended. */
export interface Disturbance {
  /** Ids of the sending hosts. Default: all. */
  readonly from?: readonly string[] | undefined
  /** Ids of the receiving hosts. Default: all. */
  readonly to?: readonly string[] | undefined
  /** Nothing passes, and senders know that there is no way. Messages in flight are lost. */
  readonly block?: boolean | undefined
  /** Probability of a silent loss. 1 is a half-open connection: the sender believes that there is a way. */
  readonly loss?: number | undefined
  /** Probability that a message is delivered twice. */
  readonly duplicate?: number | undefined
  /** Additional latency, in milliseconds. */
  readonly delay?: number | undefined
}

/** The state of the way from one host to another. */
export interface Way {
  blocked: boolean
  loss: number
  duplicate: number
  delay: number
}

interface Rule {
  readonly applies: (from: string, to: string) => boolean
  readonly effect: Omit<Disturbance, 'from' | 'to'>
}

/** All current faults. */
export class Disturbances {
  readonly #rules = new Set<Rule>()
  readonly #calm: Way

  constructor(loss: number, duplicate: number) {
    this.#calm = { blocked: false, loss, duplicate, delay: 0 }
    checkProbabilities({ loss, duplicate })
  }

  /** Returns the function that ends the fault. */
  add(effect: Disturbance): () => boolean {
    checkProbabilities(effect)
    if (!((effect.delay ?? 0) >= 0))
      throw failure('INVALID_ARGUMENT', 'disturb', 'delay is a number of milliseconds from 0')
    const from = effect.from && new Set(effect.from)
    const to = effect.to && new Set(effect.to)
    return this.#enter({ applies: (a, b) => (from?.has(a) ?? true) && (to?.has(b) ?? true), effect })
  }

  /** Nothing passes between groups. Hosts in no group form their own group. */
  divide(groups: readonly (readonly string[])[]): () => boolean {
    const groupOf = new Map(groups.flatMap((ids, group) => ids.map((id) => [id, group] as const)))
    return this.#enter({ applies: (a, b) => groupOf.get(a) !== groupOf.get(b), effect: { block: true } })
  }

  clear(): void {
    this.#rules.clear()
  }

  blocked(from: string, to: string): boolean {
    for (const rule of this.#rules) if (rule.effect.block === true && rule.applies(from, to)) return true
    return false
  }

  way(from: string, to: string): Way {
    if (this.#rules.size === 0) return this.#calm
    const way = { ...this.#calm }
    for (const rule of this.#rules) {
      if (!rule.applies(from, to)) continue
      const { block = false, loss = 0, duplicate = 0, delay = 0 } = rule.effect
      way.blocked ||= block
      // The causes are independent: a message arrives only if it passes each of them.
      way.loss = 1 - (1 - way.loss) * (1 - loss)
      way.duplicate = 1 - (1 - way.duplicate) * (1 - duplicate)
      way.delay += delay
    }
    return way
  }

  #enter(rule: Rule): () => boolean {
    this.#rules.add(rule)
    return () => this.#rules.delete(rule)
  }
}

function checkProbabilities(of: { loss?: number | undefined; duplicate?: number | undefined }): void {
  for (const name of ['loss', 'duplicate'] as const) {
    const value = of[name] ?? 0
    if (!(value >= 0 && value <= 1))
      throw failure('INVALID_ARGUMENT', 'disturb', `${name} is a probability from 0 to 1, not ${value}`)
  }
}

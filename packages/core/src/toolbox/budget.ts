import { BoundedMap } from './bounded-map.ts'

export interface BudgetOptions {
  /** What all senders together may have. */
  readonly total: number
  /** What all strangers together may have; the rest is kept for known senders. Default: three quarters of the total. */
  readonly strangers?: number | undefined
  /** What one sender may have. */
  readonly each: number
  readonly isKnown: (sender: string) => boolean
  /**
   * Makes it a rate: the whole amount flows back within `ms` milliseconds. Without it, an amount comes back only through
   * the function that {@link Budget.take} returns.
   */
  readonly refill?: { readonly ms: number; readonly now: () => number } | undefined
}

interface Account {
  used: number
  at: number
}

/** Accounts of senders that are kept. A forgotten account has its whole budget again, within the total. */
const remembered = 4096

/**
 * One resource that many senders draw on: bytes, checks, places in a queue. Three limits hold at once: for one sender, for
 * all strangers together, and in total. So no sender takes the share of another, and free identities take nothing from
 * known senders. Without `refill`, the budget limits the amount that is held at one time (take, then give back). With it,
 * the budget limits a rate.
 */
export class Budget {
  readonly #options: BudgetOptions
  readonly #strangersLimit: number
  readonly #total: Account
  readonly #strangers: Account
  readonly #senders: BoundedMap<string, Account> = new BoundedMap(remembered)

  constructor(options: BudgetOptions) {
    this.#options = options
    this.#strangersLimit = options.strangers ?? (options.total * 3) / 4
    const at = options.refill?.now() ?? 0
    this.#total = { used: 0, at }
    this.#strangers = { used: 0, at }
  }

  /** The amount that is taken now. */
  get used(): number {
    return this.#drained(this.#total, this.#options.total)
  }

  /** Takes all of the amount or nothing. The returned function gives it back, once. */
  take(sender: string, amount: number): (() => void) | undefined {
    const { total, each, isKnown, refill } = this.#options
    const now = refill?.now() ?? 0
    const own = this.#senders.get(sender) ?? { used: 0, at: now }
    const limits: [Account, number][] = [
      [own, each],
      [this.#total, total]
    ]
    if (!isKnown(sender)) limits.push([this.#strangers, this.#strangersLimit])
    for (const [account, limit] of limits) if (this.#drained(account, limit) + amount > limit) return undefined
    for (const [account] of limits) account.used += amount
    this.#senders.set(sender, own)
    let held = true
    return () => {
      if (!held) return
      held = false
      for (const [account, limit] of limits) account.used = Math.max(0, this.#drained(account, limit) - amount)
      if (own.used === 0 && this.#senders.get(sender) === own) this.#senders.delete(sender)
    }
  }

  #drained(account: Account, limit: number): number {
    const { refill } = this.#options
    if (refill === undefined) return account.used
    const now = refill.now()
    account.used = Math.max(0, account.used - ((now - account.at) * limit) / refill.ms)
    account.at = now
    return account.used
  }
}

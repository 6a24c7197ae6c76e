import type { Payload } from './payload.ts'
import type { Ordered } from './order.ts'

/** An entry as the accounts see it. */
export interface Posting extends Ordered {
  readonly author: string
  readonly payload: Payload
}

/**
 * `sequence-used`: an earlier entry of the account has this number (a double spend when both are transfers).
 * `sequence-gap`: the number before it is not there: its author did not approve its own earlier entry.
 * `overdraft`: the account has less than the amount. The number is used up all the same.
 */
type RejectionReason = 'sequence-used' | 'sequence-gap' | 'overdraft'

export type Outcome =
  | { readonly accepted: true }
  /** `conflict`: the entry that has the number. */
  | { readonly accepted: false; readonly reason: RejectionReason; readonly conflict?: Posting | undefined }

interface Account {
  balance: bigint
  /** The entries that used up the numbers 0, 1, 2 … */
  numbered: Posting[]
}

const accepted: Outcome = { accepted: true }
const gap: Outcome = { accepted: false, reason: 'sequence-gap' }
const overdraft: Outcome = { accepted: false, reason: 'overdraft' }

/**
 * The accounts after some first part of the canonical order. What was applied can be taken back, the last one first:
 * an entry that arrives late costs as many steps as there are entries after it, not a recount.
 */
export class Accounts {
  readonly #accounts = new Map<string, Account>()

  constructor(initial: ReadonlyMap<string, bigint>) {
    for (const [id, balance] of initial) this.#accounts.set(id, { balance, numbered: [] })
  }

  apply(posting: Posting): Outcome {
    const { author, payload } = posting
    const account = this.#account(author)
    const next = account.numbered.length
    if (payload.sequence < next)
      return { accepted: false, reason: 'sequence-used', conflict: account.numbered[payload.sequence] }
    if (payload.sequence > next) return gap
    account.numbered.push(posting)
    if (payload.type === 'record') return accepted
    if (account.balance < payload.amount) return overdraft
    this.#move(author, payload.to, payload.amount)
    return accepted
  }

  /** Takes back what `apply` answered `outcome` to; only ever the last that was applied and not taken back. */
  undo(posting: Posting, outcome: Outcome): void {
    const { author, payload } = posting
    if (!outcome.accepted && outcome.reason !== 'overdraft') return
    this.#account(author).numbered.pop()
    if (outcome.accepted && payload.type === 'transfer') this.#move(payload.to, author, payload.amount)
  }

  balance(id: string): bigint {
    return this.#accounts.get(id)?.balance ?? 0n
  }

  /** The number that the account's next entry must have. */
  nextSequence(id: string): number {
    return this.#accounts.get(id)?.numbered.length ?? 0
  }

  /** Every account that has or had something, by id. */
  balances(): [id: string, balance: bigint][] {
    const result: [string, bigint][] = []
    for (const [id, { balance, numbered }] of this.#accounts)
      if (balance > 0n || numbered.length > 0) result.push([id, balance])
    return result.sort(([a], [b]) => (a < b ? -1 : 1))
  }

  #move(from: string, to: string, amount: bigint): void {
    this.#account(from).balance -= amount
    this.#account(to).balance += amount
  }

  #account(id: string): Account {
    let account = this.#accounts.get(id)
    if (account === undefined) {
      account = { balance: 0n, numbered: [] }
      this.#accounts.set(id, account)
    }
    return account
  }
}

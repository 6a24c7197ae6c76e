/**
 * `sequence-used`: an earlier entry of the account has this number (a double spend when both are transfers).
 * `sequence-gap`: the number before it is not there: its author did not approve its own earlier entry.
 * `overdraft`: the account has less than the amount. The number is used up all the same.
 */
type RejectionReason = 'sequence-used' | 'sequence-gap' | 'overdraft'

/** What the rules make of an entry. */
export type Outcome = 'accepted' | RejectionReason

/** An account at one place of the canonical order. */
export interface Standing {
  readonly balance: bigint
  /** The number that the account's next entry must have. */
  readonly next: number
}

/** What an entry asks of its author's account; `amount` is 0 for a record. */
export interface Demand {
  readonly sequence: number
  readonly amount: bigint
}

/** What becomes of an entry where its author's account stands so, and how the account stands after it. */
export function judge({ balance, next }: Standing, { sequence, amount }: Demand): Standing & { outcome: Outcome } {
  if (sequence < next) return { outcome: 'sequence-used', balance, next }
  if (sequence > next) return { outcome: 'sequence-gap', balance, next }
  if (balance < amount) return { outcome: 'overdraft', balance, next: next + 1 }
  return { outcome: 'accepted', balance: balance - amount, next: next + 1 }
}

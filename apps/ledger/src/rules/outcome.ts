/**
 * `sequence-used`: an earlier entry of the account has this number (a double spend if both are transfers).
 * `sequence-gap`: the previous number is missing, because the author did not approve its own earlier entry.
 * `overdraft`: the account has less than the amount; the number is used up nevertheless.
 */
type RejectionReason = 'sequence-used' | 'sequence-gap' | 'overdraft'

/** The result of the rules for an entry. */
export type Outcome = 'accepted' | RejectionReason

/** The state of an account at one place of the canonical order. */
export interface Standing {
  readonly balance: bigint
  /** The number that the account's next entry must have. */
  readonly next: number
}

/** What an entry requires from its author's account; `amount` is 0 for a record. */
export interface Demand {
  readonly sequence: number
  readonly amount: bigint
}

/**
 * Judges an entry by the state of its author's account. Returns the outcome, and the state of the account after the
 * entry.
 */
export function judge({ balance, next }: Standing, { sequence, amount }: Demand): Standing & { outcome: Outcome } {
  if (sequence < next) return { outcome: 'sequence-used', balance, next }
  if (sequence > next) return { outcome: 'sequence-gap', balance, next }
  if (balance < amount) return { outcome: 'overdraft', balance, next: next + 1 }
  return { outcome: 'accepted', balance: balance - amount, next: next + 1 }
}

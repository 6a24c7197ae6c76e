import { Heap } from './heap.ts'
import { compareEntries, type Ordered, positionOf } from './order.ts'
import type { Payload } from './payload.ts'

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

/** An entry as the accounts see it. They set its outcome. */
export interface Posting extends Ordered {
  readonly author: string
  readonly payload: Payload
  outcome: Outcome
}

/** The outcome of an entry that was not counted yet; recognised by its identity. */
export const unjudged: Outcome = { accepted: true }
const accepted: Outcome = { accepted: true }
const gap: Outcome = { accepted: false, reason: 'sequence-gap' }
const overdraft: Outcome = { accepted: false, reason: 'overdraft' }

/** One account: its own entries and the transfers to it, in canonical order, with the balance after each. */
class Account {
  readonly id: string
  readonly initial: bigint
  readonly postings: Posting[] = []
  readonly balances: bigint[] = []
  /** The number that the account's next entry must have. */
  readonly nexts: number[] = []
  /** The entries that used up the numbers 0, 1, 2 … */
  readonly numbered: Posting[] = []
  /** The first line that must be counted again; `Infinity` when none must. */
  from = Infinity

  constructor(id: string, initial: bigint) {
    this.id = id
    this.initial = initial
  }

  balanceBefore(line: number): bigint {
    return this.balances[line - 1] ?? this.initial
  }

  nextBefore(line: number): number {
    return this.nexts[line - 1] ?? 0
  }

  /** Inserts a line that has no effect yet, and gives its index. */
  insert(posting: Posting): number {
    const line = positionOf(this.postings, posting)
    const [balance, next] = [this.balanceBefore(line), this.nextBefore(line)]
    if (line === this.postings.length) {
      this.postings.push(posting)
      this.balances.push(balance)
      this.nexts.push(next)
    } else {
      this.postings.splice(line, 0, posting)
      this.balances.splice(line, 0, balance)
      this.nexts.splice(line, 0, next)
    }
    // The next line to count stays the same.
    if (line <= this.from) this.from++
    return line
  }
}

/** A line of an account that must be counted again. */
interface Mark {
  readonly posting: Posting
  readonly account: Account
}

/**
 * The accounts after all entries. A late entry costs one step for each later line of the accounts that it touches: its
 * author's, and its receiver's where the transfer counts. No other account is counted again.
 */
export class Accounts {
  readonly #accounts = new Map<string, Account>()
  /** In canonical order; for one entry the author's line comes before the receiver's. */
  readonly #marks = new Heap<Mark>(
    (a, b) => compareEntries(a.posting, b.posting) || Number(isOwn(b)) - Number(isOwn(a))
  )
  readonly #onJudged: (posting: Posting, before: Outcome) => void

  /** `onJudged` is called for each entry whose outcome changed. */
  constructor(initial: ReadonlyMap<string, bigint>, onJudged: (posting: Posting, before: Outcome) => void) {
    for (const [id, balance] of initial) this.#accounts.set(id, new Account(id, balance))
    this.#onJudged = onJudged
  }

  /** Takes an entry in any order. One that comes last in its accounts is counted now, all others by `settle`. */
  add(posting: Posting): void {
    const { payload, author } = posting
    const accounts = [this.#account(author), ...(payload.type === 'transfer' ? [this.#account(payload.to)] : [])]
    const settled = this.#marks.peek() === undefined
    const lines = accounts.map((account) => account.insert(posting))
    this.#mark(accounts[0] as Account, lines[0] as number)
    if (settled && accounts.every(({ postings }, i) => lines[i] === postings.length - 1)) this.settle()
  }

  /** Counts all marked lines, in canonical order. */
  settle(): void {
    for (let mark = this.#marks.pop(); mark !== undefined; mark = this.#marks.pop()) {
      const { account } = mark
      // A later mark of this account may have been counted with an earlier one.
      if (account.postings[account.from] !== mark.posting) continue
      do this.#count(account, account.from++)
      while (this.#isNext(account))
      if (account.from < account.postings.length) this.#push(account)
      else account.from = Infinity
    }
  }

  balance(id: string): bigint {
    const account = this.#accounts.get(id)
    return account === undefined ? 0n : account.balanceBefore(account.postings.length)
  }

  nextSequence(id: string): number {
    const account = this.#accounts.get(id)
    return account === undefined ? 0 : account.nextBefore(account.postings.length)
  }

  /** Every account that has or had something, by id. */
  balances(): [id: string, balance: bigint][] {
    const result: [string, bigint][] = []
    for (const id of this.#accounts.keys()) {
      const balance = this.balance(id)
      if (balance > 0n || this.nextSequence(id) > 0) result.push([id, balance])
    }
    return result.sort(([a], [b]) => (a < b ? -1 : 1))
  }

  /** Whether no other line comes before the next one of this account. */
  #isNext(account: Account): boolean {
    const posting = account.postings[account.from]
    if (posting === undefined) return false
    const other = this.#marks.peek()
    const order = other === undefined ? -1 : compareEntries(posting, other.posting)
    return order < 0 || (order === 0 && posting.author === account.id)
  }

  #count(account: Account, line: number): void {
    const posting = account.postings[line]
    if (posting === undefined) return
    const { payload, author } = posting
    const [balance, next] = [account.balanceBefore(line), account.nextBefore(line)]
    const amount = payload.type === 'transfer' ? payload.amount : 0n
    if (author !== account.id) {
      account.balances[line] = posting.outcome.accepted ? balance + amount : balance
      account.nexts[line] = next
      return
    }
    const outcome = judge(account, next, balance, payload)
    const used = outcome.accepted || outcome.reason === 'overdraft'
    if (used) account.numbered[next] = posting
    account.balances[line] = outcome.accepted ? balance - amount : balance
    account.nexts[line] = used ? next + 1 : next
    const before = posting.outcome
    if (before !== unjudged && sameOutcome(before, outcome)) return
    posting.outcome = outcome
    this.#onJudged(posting, before)
    const counted = before !== unjudged && before.accepted
    if (payload.type === 'transfer' && counted !== outcome.accepted) {
      const receiver = this.#account(payload.to)
      this.#mark(receiver, positionOf(receiver.postings, posting))
    }
  }

  #mark(account: Account, line: number): void {
    if (line >= account.from) return
    account.from = line
    this.#push(account)
  }

  #push(account: Account): void {
    const posting = account.postings[account.from]
    if (posting !== undefined) this.#marks.push({ posting, account })
  }

  #account(id: string): Account {
    let account = this.#accounts.get(id)
    if (account === undefined) {
      account = new Account(id, 0n)
      this.#accounts.set(id, account)
    }
    return account
  }
}

function isOwn({ posting, account }: Mark): boolean {
  return posting.author === account.id
}

function judge(account: Account, next: number, balance: bigint, payload: Payload): Outcome {
  if (payload.sequence < next)
    return { accepted: false, reason: 'sequence-used', conflict: account.numbered[payload.sequence] }
  if (payload.sequence > next) return gap
  return payload.type === 'transfer' && balance < payload.amount ? overdraft : accepted
}

function sameOutcome(a: Outcome, b: Outcome): boolean {
  if (a.accepted || b.accepted) return a.accepted === b.accepted
  return a.reason === b.reason && a.conflict === b.conflict
}

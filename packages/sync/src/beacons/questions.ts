import type { Budget } from '@p2pl/core/backend'
import { shareOf } from '../repair/spread.ts'
import type { Bytes } from '../bytes.ts'
import { maxProofs, wholeShare } from '../wire/messages.ts'
import type { Ask } from '../wire/messages.ts'

/** Estimates of the cost of an answer assume at most this many peers, because strangers may have invented the others. */
const maxExpected = 64

/**
 * Questions of others that wait for an answer. An answer is a beacon to all peers. The bytes by which it exceeds its
 * question, times the number of peers likely to answer, come out of the asker's budget. So nobody makes others send
 * much more than they send themselves.
 */
export class Questions {
  readonly #id: string
  readonly #budget: Budget
  readonly #peers: () => number
  #nonces: Bytes[] = []

  constructor(id: string, budget: Budget, peers: () => number) {
    this.#id = id
    this.#budget = budget
    this.#peers = peers
  }

  /** Whether this peer should answer this question. If so, the question is noted. */
  asked(sender: string, { nonce, share }: Ask, bytes: number, answerBytes: number): boolean {
    if (shareOf(this.#id, nonce) * wholeShare >= share) return false
    const answers = Math.max(1, (share / wholeShare) * Math.min(this.#peers(), maxExpected))
    if (!this.#affords(sender, answers * answerBytes - bytes)) return false
    if (this.#nonces.length < maxProofs) this.#nonces.push(nonce.slice())
    return true
  }

  /**
   * Whether this peer may send a beacon because it heard another one. The cost counts two answers: two peers may answer
   * before they hear each other.
   */
  mayAnswer(sender: string, bytes: number, answerBytes: number): boolean {
    return this.#affords(sender, 2 * answerBytes - bytes)
  }

  #affords(sender: string, excess: number): boolean {
    return excess <= 0 || this.#budget.take(sender, excess) !== undefined
  }

  /** The questions that the next beacon answers. */
  take(): Bytes[] {
    const nonces = this.#nonces
    this.#nonces = []
    return nonces
  }
}

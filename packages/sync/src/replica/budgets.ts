import { Budget } from '@p2pl/core/backend'
import type { Timers } from '../toolbox/timers.ts'

const mebibyte: number = 1024 * 1024

/** All budgets that senders share. Unless a comment says otherwise, strangers together get three quarters. */
export interface Budgets {
  /** Bytes of messages being handled, of entries being checked, and of entries that wait for parents. */
  readonly handling: Budget
  readonly checking: Budget
  readonly pending: Budget
  /** Parents that are being looked for. */
  readonly missing: Budget
  /** Blocks that are asked of all peers because of what a sender sent, per beacon period. */
  readonly asking: Budget
  /** Padding of repair requests that stayed without effect, in bytes per 16 periods. */
  readonly padding: Budget
  /** Bytes of blocks sent to the topic for repair, per period. */
  readonly answers: Budget
  /** Bytes by which beacons exceed the messages that they answer, per 16 periods. */
  readonly replies: Budget
  /** Proofs of others that are checked, per period. */
  readonly proofs: Budget
  /** Computations of the index for comparison with a beacon, per period. */
  readonly flushes: Budget
}

export function createBudgets(timers: Timers, period: number, isKnown: (sender: string) => boolean): Budgets {
  const held = (total: number, each: number): Budget => new Budget({ total, each, isKnown })
  const rate = (total: number, each: number, periods: number, strangers?: number): Budget =>
    new Budget({ total, each, strangers, isKnown, refill: { ms: periods * period, now: () => timers.now() } })
  return {
    handling: held(32 * mebibyte, 8 * mebibyte),
    checking: held(32 * mebibyte, 8 * mebibyte),
    pending: held(32 * mebibyte, 8 * mebibyte),
    missing: held(4096, 512),
    asking: rate(64, 16, 1, 32),
    padding: rate(mebibyte, mebibyte / 4, 16, mebibyte / 4),
    answers: rate(mebibyte / 2, mebibyte / 4, 1),
    replies: rate(32 * 1024, 16 * 1024, 16),
    proofs: rate(256, 8, 1),
    flushes: rate(64, 4, 1, 16)
  }
}

/** Bytes of entries in one import that wait for parents, by author. */
export function createImportBudget(): Budget {
  return new Budget({ total: 32 * mebibyte, each: 8 * mebibyte, isKnown: () => true })
}

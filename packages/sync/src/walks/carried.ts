import type { Candidate } from '../intake/admission.ts'
import type { Outcome } from '../intake/intake.ts'
import { limits, vouchingReach } from '../limits.ts'

/**
 * Entries of a walk that nothing proves yet, and entries that build on them. They are kept until the entries come that
 * prove them. The room is bounded. Entries that do not fit come again with another walk, when proven entries have made
 * room.
 */
export class Carried {
  #candidates: readonly Candidate[] = []
  /** Whether some entries had no room. Others may be unproven because of that. */
  overflowed = false

  /** Puts the kept entries first, because they are below the new ones. */
  before(fresh: readonly Candidate[]): readonly Candidate[] {
    return this.#candidates.length === 0 ? fresh : [...this.#candidates, ...fresh]
  }

  /**
   * Keeps the unproven entries that it can. Returns the other unproven ones: those that nothing can prove any more, and
   * those that had no room.
   */
  keep(all: readonly Candidate[], outcomes: readonly Outcome[]): Candidate[] {
    const last = all.at(-1)?.entry.clock ?? 0
    const kept: Candidate[] = []
    const left: Candidate[] = []
    let bytes = 0
    for (const [i, candidate] of all.entries()) {
      if (outcomes[i] !== 'unproven') continue
      const { entry, right } = candidate
      bytes += entry.bytes.length
      const isFull = kept.length >= limits.carriedEntries || bytes > limits.carriedBytes
      const isPassed = right !== true && entry.clock + vouchingReach < last
      if (isFull) this.overflowed = true
      if (isFull || isPassed) left.push(candidate)
      else kept.push({ ...candidate, entry: entry.owned() })
    }
    this.#candidates = kept
    return left
  }

  /** Returns the kept entries and keeps them no longer. */
  end(): readonly Candidate[] {
    const left = this.#candidates
    this.#candidates = []
    return left
  }
}

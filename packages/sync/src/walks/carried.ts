import type { Candidate } from '../intake/admission.ts'
import type { Outcome } from '../intake/intake.ts'
import { limits, vouchingReach } from '../limits.ts'

/**
 * Entries of a walk that nothing proves yet, and those that build on them, kept until the entries come that prove them. There is room for
 * some; what does not fit comes again with another walk, when there is room because others were proven.
 */
export class Carried {
  #candidates: readonly Candidate[] = []
  /** Whether some had no room: others may then be unproven because of that. */
  overflowed = false

  /** These first, because they are below what is new. */
  before(fresh: readonly Candidate[]): readonly Candidate[] {
    return this.#candidates.length === 0 ? fresh : [...this.#candidates, ...fresh]
  }

  /** Keeps those that are unproven; gives the others of them: those that nothing can prove any more, and those that had no room. */
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

  /** Those that are kept, which are kept no longer. */
  end(): readonly Candidate[] {
    const left = this.#candidates
    this.#candidates = []
    return left
  }
}

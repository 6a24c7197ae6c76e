import { BoundedMap } from '@p2pl/core/backend'

/** Points are halved in this time (ms), so a peer that rarely offends is never shut out. */
const halfLife = 10_000
/** A peer with at least this many points has no place in a mesh. */
const suspect = 20
/** A peer with this many points is shut out. */
const guilty = 100
const firstSentence = 30_000
const longestSentence = 3_600_000
/** A peer that has behaved for this long (ms) after its sentence has a clean record again. */
const forgiveness = 3_600_000
const maxRecords = 4_096

interface Offences {
  points: number
  /** When `points` was computed. */
  at: number
  /** Until when the peer is shut out. */
  until: number
  sentence: number
}

/**
 * Counts offences that no well-behaved peer commits, and shuts out peers that continue with them: for 30 seconds at
 * first, then for twice as long each time. A peer is judged only by what it has done itself, because it may be unable
 * to judge what it forwards.
 */
export class Judge {
  readonly #records = new BoundedMap<string, Offences>(maxRecords)
  readonly #onSentence: (id: string, ms: number) => void
  readonly #now: () => number
  #lastUntil = -Infinity

  constructor(onSentence: (id: string, ms: number) => void, now: () => number = () => performance.now()) {
    this.#onSentence = onSentence
    this.#now = now
  }

  charge(id: string, points = 1): void {
    const now = this.#now()
    const record = this.#record(id, now)
    if (now < record.until) return
    record.points = decayed(record, now) + points
    record.at = now
    if (record.points < guilty) return
    record.points = 0
    record.sentence =
      record.sentence === 0 || now > record.until + forgiveness
        ? firstSentence
        : Math.min(record.sentence * 2, longestSentence)
    record.until = now + record.sentence
    this.#lastUntil = Math.max(this.#lastUntil, record.until)
    this.#onSentence(id, record.sentence)
  }

  /** Whether any peer may be shut out. */
  get isActive(): boolean {
    return this.#now() < this.#lastUntil
  }

  isShutOut(id: string): boolean {
    const record = this.#records.get(id)
    return record !== undefined && this.#now() < record.until
  }

  /** The app-specific score of a peer, which the engine multiplies by ten. A peer with a negative score has no place in a mesh. */
  score(id: string): number {
    const record = this.#records.get(id)
    if (record === undefined) return 0
    const points = decayed(record, this.#now())
    return points < suspect ? 0 : -points / suspect
  }

  /** The user has named the peer, so it may come back at once. */
  pardon(id: string): void {
    this.#records.delete(id)
  }

  #record(id: string, now: number): Offences {
    const record = this.#records.touch(id) ?? { points: 0, at: now, until: -Infinity, sentence: 0 }
    this.#records.set(id, record)
    return record
  }
}

function decayed({ points, at }: Offences, now: number): number {
  return points * 2 ** ((at - now) / halfLife)
}

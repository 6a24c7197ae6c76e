import { BoundedMap } from '@p2pl/core/backend'

/** Points are halved in this time (ms): a peer that offends rarely is never shut out. */
const halfLife = 10_000
/** From here on a peer has no place in a mesh. */
const suspect = 20
/** From here on a peer is shut out. */
const guilty = 100
const firstSentence = 30_000
const longestSentence = 3_600_000
/** A peer that has behaved for this long after its sentence starts anew. */
const forgiveness = 3_600_000
const maxRecords = 4_096

interface Offences {
  points: number
  /** When `points` was worked out. */
  at: number
  /** Until when the peer is shut out. */
  until: number
  sentence: number
}

/**
 * Counts what peers do that no well-behaved peer does, and shuts out those that go on with it: for 30 seconds at first, then for
 * twice as long each time. A peer is only judged by what it has done itself: what it forwards may be beyond its knowledge.
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

  /** Whether anybody may be shut out. */
  get isActive(): boolean {
    return this.#now() < this.#lastUntil
  }

  isShutOut(id: string): boolean {
    const record = this.#records.get(id)
    return record !== undefined && this.#now() < record.until
  }

  /** What the engine adds to the score of a peer, in tens: negative scores have no place in a mesh. */
  score(id: string): number {
    const record = this.#records.get(id)
    if (record === undefined) return 0
    const points = decayed(record, this.#now())
    return points < suspect ? 0 : -points / suspect
  }

  /** The user has named the peer: it may come back at once. */
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

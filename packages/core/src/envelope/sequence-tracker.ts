/** A run of sequence numbers that did not arrive. */
interface Hole {
  first: number
  last: number
  /** When it becomes a gap, in milliseconds of the clock; `undefined` if it was reported, or is not to be reported. */
  due: number | undefined
}

export interface MissingRun {
  readonly first: number
  readonly last: number
}

/**
 * Holes that are remembered. Beyond this number the oldest is given up: it is reported at once, and messages that arrive
 * for it later count as duplicates.
 */
const maxHoles = 128

/**
 * Follows the sequence numbers of one session of one sender: tells new ones from duplicates, and finds missing ones. Memory
 * is bounded by the number of holes, not by the number of messages.
 */
export class SequenceTracker {
  /** One more than the highest number seen. */
  #next: number
  /** Ascending and disjoint. */
  readonly #holes: Hole[] = []
  /** Runs that were given up early, and are reported at the next opportunity. */
  #givenUp: MissingRun[] = []

  /**
   * @param first - The first number that was heard.
   * @param expected - The number that should have come first, if that is known. Without it, earlier messages are accepted
   *   when they arrive late, but are not reported as missing.
   */
  constructor(first: number, expected?: number) {
    this.#next = expected ?? first
    if (expected === undefined && first > 0) this.#holes.push({ first: 0, last: first - 1, due: undefined })
  }

  /** One more than the highest number seen. */
  get next(): number {
    return this.#next
  }

  get hasDue(): boolean {
    return this.#givenUp.length > 0 || this.#holes.some((hole) => hole.due !== undefined)
  }

  /** The sender has published everything below `next`. Any number that is not here by `due` is missing. */
  announce(next: number, due: number): void {
    if (next <= this.#next) return
    this.#holes.push({ first: this.#next, last: next - 1, due })
    this.#next = next
    this.#bound()
  }

  /** Whether the number is new. Call {@link announce} with it first. */
  accept(sequence: number): boolean {
    if (sequence === this.#next) {
      this.#next++
      return true
    }
    if (sequence > this.#next) throw new RangeError('announce comes before accept')
    const index = this.#holes.findIndex((hole) => hole.first <= sequence && sequence <= hole.last)
    const hole = this.#holes[index]
    if (hole === undefined) return false
    const rest: Hole[] = []
    if (hole.first < sequence) rest.push({ ...hole, last: sequence - 1 })
    if (sequence < hole.last) rest.push({ ...hole, first: sequence + 1 })
    this.#holes.splice(index, 1, ...rest)
    this.#bound()
    return true
  }

  /** The holes whose time has come. Each is reported once. */
  overdue(now: number): MissingRun[] {
    const runs = this.#givenUp
    this.#givenUp = []
    for (const hole of this.#holes) {
      if (hole.due === undefined || hole.due > now) continue
      hole.due = undefined
      runs.push({ first: hole.first, last: hole.last })
    }
    return runs
  }

  /** Everything that is still open, reported now because the session has ended. */
  close(): MissingRun[] {
    return this.overdue(Infinity)
  }

  #bound(): void {
    if (this.#holes.length <= maxHoles) return
    const oldest = this.#holes.shift()
    if (oldest?.due !== undefined) this.#givenUp.push({ first: oldest.first, last: oldest.last })
  }
}

import { BreachError, entriesFrame, type Entry, idsFrame, idsOf, Kind } from './frames.ts'
import type { Pipe } from './pipe.ts'
import type { Want } from './want.ts'

export interface AskerEvents {
  block(want: Want, bytes: Uint8Array): void
  have(want: Want): void
  missing(want: Want): void
}

/** The most unanswered questions. Wants and questions together stay below the limit of the other side. */
const maxQuestions = 400

/** Asks the other side of one channel. Wants made in one turn of the event loop are sent together, with `flush`. */
export class Asker {
  readonly #pipe: Pipe
  readonly #events: AskerEvents
  readonly #wants = new Map<number, Want>()
  readonly #ids = new Map<Want, number>()
  readonly #questions = new Map<number, Want>()
  #newWants: number[] = []
  #newQuestions: number[] = []
  #cancels: number[] = []
  #next = 0
  /** The number of ended wants whose block may still be on its way. That many answers are ignored. */
  #late = 0

  constructor(pipe: Pipe, events: AskerEvents) {
    this.#pipe = pipe
    this.#events = events
  }

  get size(): number {
    return this.#wants.size
  }

  /** Unanswered wants, the oldest first. */
  wants(): MapIterator<Want> {
    return this.#wants.values()
  }

  has(want: Want): boolean {
    return this.#ids.has(want)
  }

  want(want: Want): void {
    const id = this.#newId()
    this.#wants.set(id, want)
    this.#ids.set(want, id)
    this.#newWants.push(id)
  }

  /** Asks whether the peer has the block, unless too many questions are open. */
  ask(want: Want): boolean {
    if (this.#questions.size >= maxQuestions) return false
    const id = this.#newId()
    this.#questions.set(id, want)
    this.#newQuestions.push(id)
    return true
  }

  cancel(want: Want): void {
    const id = this.#ids.get(want)
    if (id === undefined) return
    this.#ids.delete(want)
    this.#wants.delete(id)
    this.#late++
    this.#cancels.push(id)
  }

  flush(): void {
    const parts: Uint8Array[] = []
    const wants = entriesIn(this.#newWants, this.#wants)
    const questions = entriesIn(this.#newQuestions, this.#questions)
    if (this.#cancels.length > 0) parts.push(idsFrame(Kind.cancel, this.#cancels))
    if (wants.length > 0) parts.push(entriesFrame(Kind.want, wants))
    if (questions.length > 0) parts.push(entriesFrame(Kind.ask, questions))
    this.#newWants = []
    this.#newQuestions = []
    this.#cancels = []
    if (parts.length > 0 && this.#pipe.open) this.#pipe.send(parts)
  }

  expects(id: number): boolean {
    if (this.#wants.has(id)) return true
    this.#passOver()
    return false
  }

  block(id: number, bytes: Uint8Array): void {
    const want = this.#take(id)
    // The want ended while its bytes were on their way.
    if (want === undefined) this.#passOver()
    else this.#events.block(want, bytes)
  }

  frame(kind: number, body: Uint8Array): void {
    for (const id of idsOf(body)) {
      const question = this.#questions.get(id)
      const want = question ?? (kind === Kind.missing ? this.#take(id) : undefined)
      if (question !== undefined) this.#questions.delete(id)
      if (want === undefined) this.#passOver()
      else if (kind === Kind.have) this.#events.have(want)
      else this.#events.missing(want)
    }
  }

  #take(id: number): Want | undefined {
    const want = this.#wants.get(id)
    if (want !== undefined) {
      this.#wants.delete(id)
      this.#ids.delete(want)
    }
    return want
  }

  /** Ignores an answer that nobody waits for. */
  #passOver(): void {
    if (this.#late === 0) throw new BreachError('the peer answers what it was not asked')
    this.#late--
  }

  #newId(): number {
    const id = this.#next
    this.#next = (id + 1) >>> 0
    return id
  }
}

function entriesIn(ids: readonly number[], from: ReadonlyMap<number, Want>): Entry[] {
  const entries: Entry[] = []
  for (const id of ids) {
    const want = from.get(id)
    if (want !== undefined) entries.push({ id, multihash: want.cid.multihash.bytes })
  }
  return entries
}

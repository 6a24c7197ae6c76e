import { type MissingRun, SequenceTracker } from '../envelope/sequence-tracker.ts'

interface Session {
  readonly id: number
  readonly tracker: SequenceTracker
}

interface Sender {
  current: Session
  /** Its last envelopes may arrive after the first ones of the current session. */
  previous: Session | undefined
}

export interface SenderGap extends MissingRun {
  readonly sender: string
}

export interface SendersOptions {
  readonly maxSenders: number
  /** When this participant joined the topic, in milliseconds since the epoch. */
  readonly joined: number
  /** Takes the numbers that will not be waited for any longer. */
  readonly onGap: (gap: SenderGap) => void
}

/** Clocks of two participants are taken to differ by at most this, in milliseconds. */
const clockSkew = 2_000

/** Everything that is remembered about the senders of one topic. */
export class Senders {
  readonly #senders = new Map<string, Sender>()
  /** Those with holes that wait for their time. */
  readonly #waiting = new Set<string>()
  readonly #options: SendersOptions

  constructor(options: SendersOptions) {
    this.#options = options
  }

  get hasWaiting(): boolean {
    return this.#waiting.size > 0
  }

  /**
   * The tracker for an envelope that begins at `first`, or `undefined` when its session is over: then it is a replay.
   */
  tracker(sender: string, session: number, first: number): SequenceTracker | undefined {
    const known = this.#senders.get(sender)
    if (known === undefined) return this.#meet(sender, session, first)
    // The most recently heard are last.
    this.#senders.delete(sender)
    this.#senders.set(sender, known)
    if (session === known.current.id) return known.current.tracker
    if (session < known.current.id) return known.previous?.id === session ? known.previous.tracker : undefined
    if (known.previous !== undefined) this.#report(sender, known.previous.tracker.close())
    known.previous = known.current
    known.current = { id: session, tracker: new SequenceTracker(first, 0) }
    return known.current.tracker
  }

  #meet(sender: string, session: number, first: number): SequenceTracker {
    // Who began after this participant had joined should have been heard from the first message on.
    const began = Math.floor(session / 1024)
    const expected = began >= this.#options.joined - clockSkew ? 0 : undefined
    const tracker = new SequenceTracker(first, expected)
    this.#senders.set(sender, { current: { id: session, tracker }, previous: undefined })
    if (this.#senders.size > this.#options.maxSenders) this.#forgetOldest()
    return tracker
  }

  #forgetOldest(): void {
    for (const [id, sender] of this.#senders) {
      this.#senders.delete(id)
      this.#waiting.delete(id)
      this.#report(id, [...(sender.previous?.tracker.close() ?? []), ...sender.current.tracker.close()])
      return
    }
  }

  /** To be called after the tracker was used. */
  touched(sender: string, tracker: SequenceTracker): void {
    if (tracker.hasDue) this.#waiting.add(sender)
  }

  /** Reports the holes whose time has come. */
  sweep(now: number): void {
    for (const id of this.#waiting) {
      const sender = this.#senders.get(id)
      if (sender === undefined) {
        this.#waiting.delete(id)
        continue
      }
      const trackers = [sender.previous?.tracker, sender.current.tracker].filter((tracker) => tracker !== undefined)
      for (const tracker of trackers) this.#report(id, tracker.overdue(now))
      if (!trackers.some((tracker) => tracker.hasDue)) this.#waiting.delete(id)
    }
  }

  #report(sender: string, runs: readonly MissingRun[]): void {
    for (const run of runs) this.#options.onGap({ sender, ...run })
  }
}

import type { Envelope } from '../envelope/envelope.ts'
import { type MissingRun, SequenceTracker } from '../envelope/sequence-tracker.ts'
import { BoundedMap } from '../toolbox/bounded-map.ts'

export interface SenderGap extends MissingRun {
  readonly sender: string
}

export interface SendersOptions {
  readonly maxSenders: number
  /** When this peer joined the topic, on the monotonic clock. */
  readonly joined: number
  /** Takes the numbers that will not be waited for any longer. */
  readonly onGap: (gap: SenderGap) => void
}

/** What is known of the time of an envelope. */
export interface Heard {
  /** Now, on this peer's monotonic clock. */
  readonly now: number
  /** Now, on this peer's wall clock. */
  readonly wall: number
}

/** Two sessions of one sender may be live at once: one ends while the next begins, or two devices use one identity. */
const maxSessions = 4
const maxEnded = 64
/** A sender heard again after this many milliseconds is established: strangers that come and go do not push it out. */
const establishedAfter = 10_000

interface Sender {
  readonly since: number
  /** The one heard longest ago first. */
  readonly sessions: BoundedMap<number, Session>
  readonly ended: BoundedMap<number, number>
  /** Of sessions that are no longer remembered: envelopes sent up to then are replays. On this peer's monotonic clock. */
  floor: number
}

interface Session {
  readonly tracker: SequenceTracker
  lastSent: number
}

/** Everything that is remembered about the senders of one topic. */
export class Senders {
  readonly #options: SendersOptions
  readonly #young: BoundedMap<string, Sender>
  readonly #established: BoundedMap<string, Sender>
  /** Of senders that are no longer remembered, as {@link Sender.floor}. */
  #floor = -Infinity
  /** Those with holes that wait for their time. */
  readonly #waiting = new Set<string>()

  constructor(options: SendersOptions) {
    this.#options = options
    const half = Math.max(1, Math.floor(options.maxSenders / 2))
    const forget = (id: string, sender: Sender): void => {
      this.#forget(id, sender)
    }
    this.#young = new BoundedMap(Math.max(1, options.maxSenders - half), forget)
    this.#established = new BoundedMap(half, forget)
  }

  get hasWaiting(): boolean {
    return this.#waiting.size > 0
  }

  /** The tracker for an envelope, or `undefined` when it is a replay of a session that has ended. */
  tracker(id: string, envelope: Envelope, heard: Heard): SequenceTracker | undefined {
    // The sender's clock may be wrong, but never tells of a time that has not come yet.
    const sent = Math.min(envelope.sent - (heard.wall - heard.now), heard.now)
    const sender = this.#sender(id, sent, heard.now)
    if (sender === undefined) return undefined
    const known = sender.sessions.touch(envelope.session)
    if (known !== undefined) {
      known.lastSent = Math.max(known.lastSent, sent)
      return known.tracker
    }
    if (sender.ended.has(envelope.session) || sent <= sender.floor) return undefined
    // A session that began after this peer had joined should have been heard from its first message on.
    const began = heard.now - envelope.age
    const tracker = new SequenceTracker(envelope.first, began >= this.#options.joined ? 0 : undefined)
    sender.sessions.set(envelope.session, { tracker, lastSent: sent })
    return tracker
  }

  #sender(id: string, sent: number, now: number): Sender | undefined {
    const established = this.#established.touch(id)
    if (established !== undefined) return established
    const young = this.#young.touch(id)
    if (young === undefined) {
      if (sent <= this.#floor) return undefined
      const met = this.#meet(id, now)
      this.#young.set(id, met)
      return met
    }
    if (now - young.since >= establishedAfter) {
      this.#young.delete(id)
      this.#established.set(id, young)
    }
    return young
  }

  #meet(id: string, now: number): Sender {
    const sender: Sender = {
      since: now,
      sessions: new BoundedMap<number, Session>(maxSessions, (session, { tracker, lastSent }) => {
        this.#report(id, tracker.close())
        sender.ended.set(session, lastSent)
      }),
      ended: new BoundedMap<number, number>(maxEnded, (_session, lastSent) => {
        sender.floor = Math.max(sender.floor, lastSent)
      }),
      floor: -Infinity
    }
    return sender
  }

  #forget(id: string, sender: Sender): void {
    this.#waiting.delete(id)
    for (const { tracker, lastSent } of sender.sessions.values()) {
      this.#floor = Math.max(this.#floor, lastSent)
      this.#report(id, tracker.close())
    }
  }

  /** Called after the tracker was used. */
  touched(id: string, tracker: SequenceTracker): void {
    if (tracker.hasDue) this.#waiting.add(id)
  }

  /** Reports the holes whose time has come. */
  sweep(now: number): void {
    for (const id of this.#waiting) {
      const sessions = [...((this.#established.get(id) ?? this.#young.get(id))?.sessions.values() ?? [])]
      for (const { tracker } of sessions) this.#report(id, tracker.overdue(now))
      if (!sessions.some(({ tracker }) => tracker.hasDue)) this.#waiting.delete(id)
    }
  }

  #report(sender: string, runs: readonly MissingRun[]): void {
    for (const run of runs) this.#options.onGap({ sender, ...run })
  }
}

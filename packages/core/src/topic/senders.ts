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
  /** Takes the numbers that are no longer waited for. */
  readonly onGap: (gap: SenderGap) => void
}

/** The time at which an envelope was heard. */
export interface Heard {
  /** Now, on this peer's monotonic clock. */
  readonly now: number
  /** Now, on this peer's wall clock. */
  readonly wall: number
}

/** Two sessions of one sender may be live at once: one ends while the next begins, or two devices use one identity. */
const maxSessions = 4
/** Ended sessions that are remembered, per remembered sender. */
const endedPerSender = 8
/** A sender that is heard again after this many milliseconds is established. Strangers that come and go do not push it out. */
const establishedAfter = 10_000

interface Sender {
  readonly since: number
  /** The session heard longest ago comes first. */
  readonly sessions: BoundedMap<number, Session>
}

interface Session {
  readonly tracker: SequenceTracker
  /** The highest age heard: nothing of that age or less is new once the session has ended. */
  age: number
  /** When it was last heard to send, on this peer's monotonic clock. */
  lastSent: number
  /** Anything sent up to this time is a replay, as for {@link Senders.#floor}. */
  readonly floor: number
}

/** A session that is no longer followed. */
type Ended = Pick<Session, 'age' | 'lastSent'> & { readonly next: number }

/** Everything that is remembered about the senders of one topic. */
export class Senders {
  readonly #options: SendersOptions
  readonly #young: BoundedMap<string, Sender>
  readonly #established: BoundedMap<string, Sender>
  /**
   * By sender and session. The age in its envelopes tells an ended session that goes on from a replay, without any clock of
   * ours.
   */
  readonly #ended: BoundedMap<string, Ended>
  /**
   * For sessions that are no longer remembered at all: anything sent up to this time, on this peer's monotonic clock, is a
   * replay.
   */
  #floor = -Infinity
  /** Senders with holes whose time has not come yet. */
  readonly #waiting = new Set<string>()

  constructor(options: SendersOptions) {
    this.#options = options
    const half = Math.max(1, Math.floor(options.maxSenders / 2))
    const forget = (id: string, { sessions }: Sender): void => {
      this.#waiting.delete(id)
      for (const [session, followed] of sessions) this.#end(id, session, followed)
    }
    this.#young = new BoundedMap(Math.max(1, options.maxSenders - half), forget)
    this.#established = new BoundedMap(half, forget)
    this.#ended = new BoundedMap(options.maxSenders * endedPerSender, (_key, { lastSent }) => {
      this.#floor = Math.max(this.#floor, lastSent)
    })
  }

  get hasWaiting(): boolean {
    return this.#waiting.size > 0
  }

  /** The tracker for an envelope, or `undefined` when it is a replay. */
  tracker(id: string, { session, age, first, sent: said }: Envelope, heard: Heard): SequenceTracker | undefined {
    // The sender's clock may be wrong, but no envelope was sent in the future.
    const sent = Math.min(said - (heard.wall - heard.now), heard.now)
    const known = this.#known(id, heard.now)?.sessions.touch(session)
    if (known !== undefined) {
      if (sent <= known.floor) return undefined
      known.lastSent = Math.max(known.lastSent, sent)
      known.age = Math.max(known.age, age)
      return known.tracker
    }
    const key = `${id}/${session}`
    const ended = this.#ended.get(key)
    if (ended === undefined ? sent <= this.#floor : age <= ended.age) return undefined
    this.#ended.delete(key)
    // A session that began after this peer had joined should have been heard from its first message on.
    const expected = ended?.next ?? (heard.now - age >= this.#options.joined ? 0 : undefined)
    const tracker = new SequenceTracker(first, expected)
    this.#meet(id, heard.now).sessions.set(session, { tracker, age, lastSent: sent, floor: this.#floor })
    return tracker
  }

  #known(id: string, now: number): Sender | undefined {
    const established = this.#established.touch(id)
    if (established !== undefined) return established
    const young = this.#young.touch(id)
    if (young !== undefined && now - young.since >= establishedAfter) {
      this.#young.delete(id)
      this.#established.set(id, young)
    }
    return young
  }

  #meet(id: string, now: number): Sender {
    const known = this.#established.get(id) ?? this.#young.get(id)
    if (known !== undefined) return known
    const sessions = new BoundedMap<number, Session>(maxSessions, (session, followed) => {
      this.#end(id, session, followed)
    })
    const met = { since: now, sessions }
    this.#young.set(id, met)
    return met
  }

  #end(id: string, session: number, { tracker, age, lastSent }: Session): void {
    this.#report(id, tracker.close())
    this.#ended.set(`${id}/${session}`, { next: tracker.next, age, lastSent })
  }

  /** Called after the tracker has been used. */
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

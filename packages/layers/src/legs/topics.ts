import type {
  HookOptions,
  Joined,
  MessageCapabilities,
  Subscriber,
  SubscriptionState,
  Verdict
} from '@p2pl/core/backend'
import { attempts } from './attempts.ts'
import { Doubles } from './doubles.ts'
import { mostTelling } from './faults.ts'
import type { Leg } from './leg.ts'
import type { Legs, LegsWatcher } from './legs.ts'

/** A leg on which a topic was heard less than this many milliseconds ago has peers that publish there. */
const heardFor = 60_000
/** Once one leg has joined, the others get this many more milliseconds before the join resolves without them. */
const joinPatience = 1_000

interface Side {
  /** The start of the leg under which it joined; 0 if it has not joined. */
  joinedAt: number
  joining: boolean
  handle: Joined | undefined
  state: SubscriptionState
  /** The time on the clock from which messages may be missing. */
  lostAt: number | undefined
  heardAt: number
}

/** A topic that is joined on every leg that runs, since other peers may use another leg. */
export class JoinedTopic implements LegsWatcher, Joined {
  readonly #legs: Legs
  readonly #topic: string
  readonly #subscriber: Required<Subscriber>
  readonly #options: HookOptions
  readonly #capabilities: () => MessageCapabilities
  readonly #doubles = new Doubles()
  readonly #sides: ReadonlyMap<Leg, Side>
  #state: SubscriptionState = 'live'
  #closed = false

  constructor(
    legs: Legs,
    topic: string,
    subscriber: Required<Subscriber>,
    options: HookOptions,
    capabilities: () => MessageCapabilities
  ) {
    this.#legs = legs
    this.#topic = topic
    this.#subscriber = subscriber
    this.#options = options
    this.#capabilities = capabilities
    const lostAt = legs.clock.now()
    this.#sides = new Map(
      legs.all.map((leg) => [
        leg,
        { joinedAt: 0, joining: false, handle: undefined, state: 'healing', lostAt, heardAt: -Infinity }
      ])
    )
  }

  /** Resolves when at least one leg has joined. */
  async open(): Promise<void> {
    this.#legs.watch(this)
    const joins = this.#legs.candidates.map(async (leg) => await this.#join(leg, false))
    const { values, errors } = await attempts(this.#legs.clock, joins, joinPatience)
    if (values.length > 0) return
    await this.close()
    throw mostTelling(errors)
  }

  /** Whether other peers publish on the leg. */
  hears(leg: Leg): boolean {
    return this.#legs.clock.now() - this.#side(leg).heardAt < heardFor
  }

  up(leg: Leg): void {
    const side = this.#side(leg)
    // A leg that kept running has kept the topic, and itself reports the messages that it missed.
    if (side.joinedAt === leg.starts) {
      side.lostAt = undefined
      this.#changed()
      return
    }
    this.#join(leg, true).catch(() => undefined)
  }

  left(leg: Leg): void {
    const side = this.#side(leg)
    side.lostAt ??= this.#legs.clock.now()
    if (!leg.running) Object.assign(side, { joinedAt: 0, handle: undefined })
    this.#changed()
    // Another leg brings the messages from now on. Messages that only the lost leg carries are missing.
    if (this.#state === 'live' && this.#legs.active !== undefined && !this.#comesBefore(leg)) this.#gap()
  }

  async close(): Promise<void> {
    this.#closed = true
    this.#legs.unwatch(this)
    await Promise.allSettled([...this.#sides].map(async ([leg, { handle }]) => await this.#leave(leg, handle)))
  }

  #comesBefore(leg: Leg): boolean {
    const { all, active } = this.#legs
    return active !== undefined && all.indexOf(active) < all.indexOf(leg)
  }

  async #join(leg: Leg, late: boolean): Promise<void> {
    const side = this.#side(leg)
    if (side.joining || side.joinedAt === leg.starts) return
    side.joining = true
    const { starts } = leg
    side.state = 'live'
    try {
      const handle = await this.#legs.run(leg, 'messages.subscribe', this.#options, async (options) => {
        const joined = await leg.backend.messages?.subscribe(this.#topic, this.#subscriberOf(leg, side), options)
        // Nobody waits for it any longer.
        if (options.signal?.aborted === true || this.#closed) await joined?.close()
        return joined
      })
      if (this.#closed) return
      side.handle = handle
      side.joinedAt = starts
      const lasted = this.#legs.clock.now() - (side.lostAt ?? 0)
      side.lostAt = undefined
      if (late) this.#gap(lasted)
      this.#changed()
    } finally {
      side.joining = false
    }
  }

  async #leave(leg: Leg, handle: Joined | undefined): Promise<void> {
    if (handle === undefined) return
    // The signal of the join has fired by now.
    const { signal } = new AbortController()
    await this.#legs.run(leg, 'messages.subscribe', { signal }, async () => await handle.close())
  }

  #subscriberOf(leg: Leg, side: Side): Required<Subscriber> {
    const current = (): boolean => !this.#closed && this.#sides.get(leg) === side
    return {
      message: ({ payload, from }): Verdict | Promise<Verdict> => {
        if (!current()) return 'ignore'
        side.heardAt = this.#legs.clock.now()
        const message = this.#capabilities().sender === 'none' ? { payload } : { payload, from }
        const deliver = (): Verdict | Promise<Verdict> => this.#subscriber.message(message)
        return this.#sides.size === 1 ? deliver() : this.#doubles.receive(leg, payload, deliver)
      },
      gap: ({ reason, lasted }) => {
        if (current() && this.#tellsGaps) this.#subscriber.gap({ reason, lasted })
      },
      state: (state) => {
        side.state = state
        if (current()) this.#changed()
      }
    }
  }

  get #tellsGaps(): boolean {
    return this.#capabilities().gaps !== 'none'
  }

  #gap(lasted?: number): void {
    if (this.#tellsGaps && !this.#closed) this.#subscriber.gap({ reason: 'disconnected', lasted })
  }

  /** The state is `live` as long as one leg brings messages. */
  #changed(): void {
    if (this.#closed || !this.#tellsGaps) return
    const live = [...this.#sides].some(([leg, { joinedAt, state }]) => leg.up && joinedAt > 0 && state === 'live')
    const state = live ? 'live' : 'healing'
    if (state === this.#state) return
    this.#state = state
    this.#subscriber.state(state)
  }

  #side(leg: Leg): Side {
    return this.#sides.get(leg) as Side
  }
}

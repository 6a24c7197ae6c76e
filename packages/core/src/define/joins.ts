import type { HookOptions } from '../port/common.ts'
import type { IncomingMessage, Joined, Subscriber, SubscriptionState, TransportGap, Verdict } from '../port/messages.ts'

export type Join = (topic: string, subscriber: Required<Subscriber>, options: HookOptions) => Promise<Joined>

/** The topics that an engine has joined: one join per topic, however many subscriptions it has. */
export class Joins {
  readonly #join: Join
  readonly #topics = new Map<string, JoinedTopic>()

  constructor(join: Join) {
    this.#join = join
  }

  async subscribe(topic: string, subscriber: Subscriber, { signal, context }: HookOptions): Promise<Joined> {
    let joined = this.#topics.get(topic)
    if (joined === undefined) {
      joined = new JoinedTopic(
        async (own, life) => await this.#join(topic, own, { signal: life, context }),
        () => {
          if (this.#topics.get(topic) === joined) this.#topics.delete(topic)
        }
      )
      this.#topics.set(topic, joined)
    }
    return await joined.enter(subscriber, signal)
  }

  /** Stops all delivery. The engine is about to close, so no topic has to be left. */
  stop(): void {
    for (const topic of this.#topics.values()) topic.silence()
    this.#topics.clear()
  }
}

/** One subscription, even if the same subscriber object is given twice. */
class Member {
  readonly subscriber: Subscriber
  constructor(subscriber: Subscriber) {
    this.subscriber = subscriber
  }
}

class JoinedTopic {
  readonly #join: (subscriber: Required<Subscriber>, life: AbortSignal) => Promise<Joined>
  readonly #released: () => void
  readonly #members = new Set<Member>()
  #life = new AbortController()
  #joined: Promise<Joined> | undefined
  #left: Promise<void> = Promise.resolve()
  #state: SubscriptionState = 'live'

  constructor(join: (subscriber: Required<Subscriber>, life: AbortSignal) => Promise<Joined>, released: () => void) {
    this.#join = join
    this.#released = released
  }

  async enter(subscriber: Subscriber, signal: AbortSignal): Promise<Joined> {
    const member = new Member(subscriber)
    this.#members.add(member)
    const leave = async (): Promise<void> => {
      await this.#leave(member)
    }
    const onAbort = (): void => {
      // The caller learns that the signal fired. It makes no difference to the caller that the engine could not leave.
      leave().catch(() => undefined)
    }
    signal.addEventListener('abort', onAbort, { once: true })
    const joined = (this.#joined ??= this.#begin())
    try {
      await joined
    } catch (error) {
      this.#members.delete(member)
      if (this.#joined === joined) this.#joined = undefined
      if (this.#members.size === 0) this.#released()
      throw error
    } finally {
      signal.removeEventListener('abort', onAbort)
    }
    if (this.#state === 'healing') subscriber.state?.('healing')
    return { close: leave }
  }

  async #begin(): Promise<Joined> {
    await this.#left
    this.#life = new AbortController()
    this.#state = 'live'
    return await this.#join(
      {
        message: (message) => this.#message(message),
        gap: (gap) => {
          this.#gap(gap)
        },
        state: (state) => {
          this.#changed(state)
        }
      },
      this.#life.signal
    )
  }

  async #leave(member: Member): Promise<void> {
    if (!this.#members.delete(member) || this.#members.size > 0) return
    const joined = this.#joined
    this.#joined = undefined
    if (joined === undefined) return
    this.#life.abort()
    this.#left = joined.then(
      async (engine) => {
        await engine.close()
      },
      () => undefined
    )
    try {
      await this.#left
    } finally {
      if (this.#members.size === 0) this.#released()
    }
  }

  silence(): void {
    this.#members.clear()
    this.#life.abort()
  }

  /** Delivers the message to every subscription. The engine passes it on if no subscription objects. */
  #message(message: IncomingMessage): Verdict | Promise<Verdict> {
    let worst: Verdict = this.#members.size === 0 ? 'ignore' : 'accept'
    let pending: Promise<Verdict>[] | undefined
    for (const { subscriber } of this.#members) {
      const verdict = judge(subscriber, message)
      if (typeof verdict === 'string') worst = worse(worst, verdict)
      else (pending ??= []).push(verdict.catch(() => 'ignore'))
    }
    return pending === undefined ? worst : Promise.all(pending).then((verdicts) => verdicts.reduce(worse, worst))
  }

  #gap(gap: TransportGap): void {
    for (const { subscriber } of this.#members) guarded(() => subscriber.gap(gap))
  }

  #changed(state: SubscriptionState): void {
    if (state === this.#state) return
    this.#state = state
    for (const { subscriber } of this.#members) guarded(() => subscriber.state?.(state))
  }
}

function judge(subscriber: Subscriber, message: IncomingMessage): Verdict | Promise<Verdict> {
  try {
    return subscriber.message(message)
  } catch {
    return 'ignore'
  }
}

function worse(a: Verdict, b: Verdict): Verdict {
  if (a === 'reject' || b === 'reject') return 'reject'
  return a === 'ignore' ? a : b
}

/** A subscriber that breaks its promise and throws does not break the engine's message loop. */
function guarded(call: () => void): void {
  try {
    call()
  } catch {
    // There is nobody to report it to.
  }
}

import type { DropReason, Gap, Message } from '../api/topic.ts'
import { type Envelope, openEnvelope, type OpenedEnvelope } from '../envelope/envelope.ts'
import { peerIdFromPublicKey } from '../identity.ts'
import type { IncomingMessage, Verdict } from '../port/messages.ts'
import { Checking } from './checking.ts'
import type { TopicContext } from './context.ts'
import { Senders } from './senders.ts'

export interface InboxOptions {
  readonly context: TopicContext
  readonly topic: string
  readonly topicBytes: Uint8Array
  readonly maxEnvelopeBytes: number
  /** Takes messages and gaps, in order of arrival. */
  readonly deliver: (item: Message | Omit<Gap, 'type' | 'topic' | 'at'>) => void
  /** The largest payload that any subscription takes. */
  readonly maxPayloadBytes: () => number
  readonly onDrop: (reason: DropReason) => void
  /** Called with the session of an envelope that this very identity has signed. */
  readonly onOwn: (session: number) => void
}

/** Takes everything that arrives on a signed topic: checks it, removes duplicates and looks for losses. */
export class Inbox {
  readonly #options: InboxOptions
  readonly #senders: Senders
  readonly #checking: Checking
  readonly #stopped = new AbortController()
  #sweeper: unknown

  constructor(options: InboxOptions) {
    this.#options = options
    const { limits, environment } = options.context
    this.#senders = new Senders({
      maxSenders: limits.maxSenders,
      joined: environment.clock.now(),
      onGap: ({ sender, first, last }) => {
        options.deliver({ reason: 'missing', sender, first, last, count: last - first + 1 })
      }
    })
    this.#checking = new Checking({
      clock: environment.clock,
      maxBytes: limits.maxPendingBytes,
      open: (payload) =>
        openEnvelope(options.topicBytes, payload, limits.maxMessagesPerEnvelope, environment.cryptography),
      use: (opened) => this.#use(opened),
      onOverload: () => {
        options.onDrop('overloaded')
        options.deliver({ reason: 'overflow' })
      }
    })
  }

  receive({ payload, from, via }: IncomingMessage): Verdict | Promise<Verdict> {
    const { maxEnvelopeBytes, onDrop, context } = this.#options
    if (payload.byteLength > maxEnvelopeBytes) {
      onDrop('oversized')
      return 'reject'
    }
    // An id that anybody can claim gets no share of its own.
    const source = context.capabilities().sender === 'verified' ? from : via
    return this.#checking.add(source ?? '', payload)
  }

  #use(opened: OpenedEnvelope): Verdict {
    const { context, onDrop, onOwn } = this.#options
    if (this.#stopped.signal.aborted) return 'ignore'
    if (typeof opened === 'string') {
      onDrop(opened)
      return 'reject'
    }
    const { environment, limits, identity, capabilities } = context
    const { clock } = environment
    const sender = peerIdFromPublicKey(opened.publicKey)
    if (sender === identity.id) {
      onOwn(opened.session)
      return 'accept'
    }
    const now = clock.now()
    const tracker = this.#senders.tracker(sender, opened, { now, wall: clock.wall() })
    if (tracker === undefined) {
      onDrop('replayed')
      return 'ignore'
    }
    // Messages arrive in the order of publishing here, so a hole can no longer be filled.
    const grace = capabilities().ordering === 'sender' ? 0 : limits.gapGrace
    tracker.announce(opened.first, now + grace)
    if (grace === 0) this.#sweepNow(sender, tracker)
    let sequence = opened.first
    for (const message of opened.messages) {
      if (tracker.accept(sequence)) this.#deliver(opened, sender, sequence, message)
      else onDrop('duplicate')
      sequence++
    }
    this.#senders.touched(sender, tracker)
    this.#scheduleSweep()
    return 'accept'
  }

  #sweepNow(sender: string, tracker: ReturnType<Senders['tracker']>): void {
    if (tracker === undefined) return
    this.#senders.touched(sender, tracker)
    this.#senders.sweep(this.#options.context.environment.clock.now())
  }

  #deliver(
    envelope: Envelope,
    sender: string,
    sequence: number,
    { content, headers }: Envelope['messages'][number]
  ): void {
    const { topic, deliver, context, maxPayloadBytes, onDrop } = this.#options
    const id = messageId(sender, envelope.session, sequence)
    const message = { type: 'message', topic, sender, sequence, id, headers } as const
    if (content instanceof Uint8Array) {
      deliver({ ...message, payload: content })
      return
    }
    const missing = { sender, first: sequence, last: sequence, count: 1 } as const
    if (content.size > maxPayloadBytes()) {
      onDrop('oversized')
      deliver({ reason: 'oversized', ...missing })
    } else if (context.claims === undefined) {
      deliver({ reason: 'unavailable', ...missing })
    } else {
      const { signal } = this.#stopped
      context.claims.fetcher.request({
        sender,
        cid: content.cid,
        size: content.size,
        providers: envelope.providers,
        signal,
        done: (payload) => {
          if (signal.aborted) return
          deliver(payload === undefined ? { reason: 'unavailable', ...missing } : { ...message, payload })
        }
      })
    }
  }

  #scheduleSweep(): void {
    const { environment, limits } = this.#options.context
    if (this.#sweeper !== undefined || !this.#senders.hasWaiting) return
    this.#sweeper = environment.clock.setTimeout(
      () => {
        this.#sweeper = undefined
        this.#senders.sweep(environment.clock.now())
        this.#scheduleSweep()
      },
      Math.max(1, limits.gapGrace / 4)
    )
  }

  stop(): void {
    this.#stopped.abort()
    this.#options.context.environment.clock.clearTimeout(this.#sweeper)
  }
}

/** Equal at the sender and at every receiver. */
export function messageId(sender: string, session: number, sequence: number): string {
  return `${sender}/${session}/${sequence}`
}

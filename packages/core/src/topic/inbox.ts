import type { DropReason, Gap, Message } from '../api/topic.ts'
import { type Claim, type Envelope, openEnvelope, type OpenedEnvelope } from '../envelope/envelope.ts'
import { peerIdFromPublicKey } from '../identity.ts'
import type { PeerInfo } from '../port/common.ts'
import type { IncomingMessage, Verdict } from '../port/messages.ts'
import type { TopicContext } from './context.ts'
import { Senders } from './senders.ts'

export interface InboxOptions {
  readonly context: TopicContext
  readonly topic: string
  readonly topicBytes: Uint8Array
  readonly maxEnvelopeBytes: number
  /** Takes what is to be delivered, in order of arrival. */
  readonly deliver: (item: Message | Gap) => void
  readonly onDrop: (reason: DropReason) => void
  /** Takes the session of an envelope that this very identity has signed. */
  readonly onOwn: (session: number) => void
}

/** Most payloads of one topic that are fetched by CID at once, and that wait for it. */
const maxFetches = 4
const maxWaitingFetches = 256

interface Fetch {
  readonly message: Message
  readonly claim: Claim
  readonly provider: PeerInfo | undefined
}

/** What arrives on a signed topic: checked, de-duplicated, followed for losses. */
export class Inbox {
  readonly #options: InboxOptions
  readonly #senders: Senders
  /** Envelopes that the engine asked about before it delivered them. */
  readonly #opened = new WeakMap<IncomingMessage, Promise<OpenedEnvelope>>()
  #order: Promise<void> = Promise.resolve()
  #pending = 0
  #sweeper: unknown
  readonly #fetches: Fetch[] = []
  #fetching = 0
  readonly #stopped = new AbortController()

  constructor(options: InboxOptions) {
    this.#options = options
    const { limits, clock } = options.context
    this.#senders = new Senders({
      maxSenders: limits.maxSenders,
      joined: clock.now(),
      onGap: ({ sender, first, last }) => {
        this.#gap({ reason: 'missing', sender, first, last, count: last - first + 1 })
      }
    })
  }

  /** Asked by engines that check before they pass on. */
  async validate(incoming: IncomingMessage): Promise<Verdict> {
    const { limits } = this.#options.context
    if (incoming.payload.byteLength > this.#options.maxEnvelopeBytes) {
      this.#options.onDrop('oversized')
      return 'reject'
    }
    if (this.#pending >= limits.maxPendingEnvelopes) {
      this.#overloaded()
      return 'ignore'
    }
    const opened = this.#open(incoming)
    this.#opened.set(incoming, opened)
    this.#pending++
    let result: OpenedEnvelope
    try {
      result = await opened
    } finally {
      this.#pending--
    }
    if (typeof result !== 'string') return 'accept'
    this.#options.onDrop(result)
    return 'reject'
  }

  receive(incoming: IncomingMessage): void {
    const { limits } = this.#options.context
    if (incoming.payload.byteLength > this.#options.maxEnvelopeBytes) {
      this.#options.onDrop('oversized')
      return
    }
    if (this.#pending >= limits.maxPendingEnvelopes) {
      this.#overloaded()
      return
    }
    const opened = this.#opened.get(incoming) ?? this.#open(incoming)
    this.#pending++
    // Checks run at once on all cores; their results are used in the order of arrival.
    this.#order = this.#order.then(async () => {
      try {
        this.#use(await opened)
      } finally {
        this.#pending--
      }
    })
  }

  #overloaded(): void {
    this.#options.onDrop('overloaded')
    this.#gap({ reason: 'overflow' })
  }

  async #open(incoming: IncomingMessage): Promise<OpenedEnvelope> {
    const { topicBytes, context } = this.#options
    try {
      return await openEnvelope(
        topicBytes,
        incoming.payload,
        context.limits.maxMessagesPerEnvelope,
        context.cryptography
      )
    } catch {
      // A key that no implementation accepts.
      return 'forged'
    }
  }

  #use(opened: OpenedEnvelope): void {
    if (this.#stopped.signal.aborted) return
    if (typeof opened === 'string') {
      this.#options.onDrop(opened)
      return
    }
    const { clock, limits, identity } = this.#options.context
    const sender = peerIdFromPublicKey(opened.publicKey)
    if (sender === identity.id) {
      this.#options.onOwn(opened.session)
      return
    }
    const tracker = this.#senders.tracker(sender, opened.session, opened.first)
    if (tracker === undefined) {
      this.#options.onDrop('replayed')
      return
    }
    tracker.announce(opened.first, clock.now() + limits.gapGrace)
    let sequence = opened.first
    for (const payload of opened.messages) {
      if (tracker.accept(sequence)) this.#deliver(opened, sender, sequence, payload)
      else this.#options.onDrop('duplicate')
      sequence++
    }
    this.#senders.touched(sender, tracker)
    this.#scheduleSweep()
  }

  #deliver(envelope: Envelope, sender: string, sequence: number, payload: Envelope['messages'][number]): void {
    const { topic, deliver } = this.#options
    const id = messageId(sender, envelope.session, sequence)
    const message = { type: 'message', topic, sender, sequence, id } as const
    if (payload instanceof Uint8Array) deliver({ ...message, payload })
    else
      this.#fetch({ message: { ...message, payload: new Uint8Array(0) }, claim: payload, provider: envelope.provider })
  }

  #fetch(fetch: Fetch): void {
    const { context } = this.#options
    if (fetch.claim.size > context.limits.maxPayloadBytes) {
      this.#options.onDrop('oversized')
      this.#unavailable(fetch.message)
    } else if (context.claims === undefined || this.#fetches.length >= maxWaitingFetches) {
      this.#unavailable(fetch.message)
    } else {
      this.#fetches.push(fetch)
      void this.#fetchNext()
    }
  }

  async #fetchNext(): Promise<void> {
    const { context, deliver } = this.#options
    if (this.#fetching >= maxFetches) return
    const fetch = this.#fetches.shift()
    if (fetch === undefined || context.claims === undefined) return
    const { message, claim, provider } = fetch
    this.#fetching++
    try {
      const payload = await context.claims.get(claim.cid, claim.size, provider, this.#stopped.signal)
      if (!this.#stopped.signal.aborted) deliver({ ...message, payload })
    } catch {
      if (!this.#stopped.signal.aborted) this.#unavailable(message)
    } finally {
      this.#fetching--
      void this.#fetchNext()
    }
  }

  #unavailable({ sender, sequence }: Message): void {
    this.#gap({ reason: 'unavailable', sender, first: sequence, last: sequence, count: 1 })
  }

  #gap(gap: Omit<Gap, 'type' | 'topic'>): void {
    this.#options.deliver({ type: 'gap', topic: this.#options.topic, ...gap })
  }

  #scheduleSweep(): void {
    const { clock, limits } = this.#options.context
    if (this.#sweeper !== undefined || !this.#senders.hasWaiting) return
    this.#sweeper = clock.setTimeout(
      () => {
        this.#sweeper = undefined
        this.#senders.sweep(clock.now())
        this.#scheduleSweep()
      },
      Math.max(1, limits.gapGrace / 4)
    )
  }

  stop(): void {
    this.#stopped.abort()
    this.#fetches.length = 0
    if (this.#sweeper !== undefined) this.#options.context.clock.clearTimeout(this.#sweeper)
  }
}

/** Equal at the sender and at every receiver. */
export function messageId(sender: string, session: number, sequence: number): string {
  return `${sender}/${session}/${sequence}`
}

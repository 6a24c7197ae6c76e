import type { Message, PublishOptions, PublishReceipt } from '../api/topic.ts'
import {
  claimSize,
  envelopeOverhead,
  type EnvelopeMessage,
  messageOverhead,
  type Payload,
  sealEnvelope
} from '../envelope/envelope.ts'
import { hintSize } from '../envelope/hints.ts'
import { checkHeaders, headersSize, noHeaders } from '../envelope/headers.ts'
import { invalidArgument, P2plError } from '../errors.ts'
import type { Joined } from '../port/messages.ts'
import { timeoutOf } from '../toolbox/countdown.ts'
import { BaseTopic } from './base-topic.ts'
import type { TopicContext } from './context.ts'
import { Inbox, messageId } from './inbox.ts'
import { type Pending, PublishQueue } from './publish-queue.ts'
import { Tail } from './tail.ts'

/** One session of this peer as a sender on a topic. */
interface Session {
  readonly id: number
  /** When it began, on the monotonic clock. */
  readonly began: number
}

/** A topic with signed envelopes: see `envelope/envelope.ts` for their form. */
export class SignedTopic extends BaseTopic<Message> {
  override readonly mode = 'signed'
  readonly #bytes: Uint8Array
  readonly #maxEnvelopeBytes: number
  readonly #queue: PublishQueue<EnvelopeMessage>
  readonly #session: Session
  readonly #tail: Tail
  readonly #heardOwn = new Set<number>()

  constructor(name: string, context: TopicContext, onIdle: () => void) {
    super(name, context, onIdle)
    this.#bytes = new TextEncoder().encode(name)
    const { limits, capabilities, environment, timeouts } = context
    const { clock, random } = environment
    this.#session = { id: Math.floor(random() * 2 ** 48), began: clock.now() }
    this.#maxEnvelopeBytes = Math.min(limits.maxEnvelopeBytes, capabilities().maxMessageBytes)
    this.#tail = new Tail({
      clock,
      timeout: timeouts.publish,
      send: async (signal) => {
        await this.#publishEnvelope(this.#queue.next, [], signal, undefined)
      },
      onEnd: () => {
        this.checkIdle()
      }
    })
    this.#queue = new PublishQueue({
      context,
      topic: name,
      maxBatchBytes: this.#maxEnvelopeBytes - envelopeOverhead - hintSize,
      maxBatchMessages: limits.maxMessagesPerEnvelope,
      repeatable: true,
      send: async (messages, signal) => await this.#send(messages, signal),
      idOf: (sequence) => this.#idOf(sequence),
      onPublished: ({ sequence, item }) => {
        this.count('published', 1)
        if (item.content instanceof Uint8Array) this.#echo(sequence, item.content, item.headers)
      },
      onIdle: () => {
        this.checkIdle()
      }
    })
  }

  protected override get quiet(): boolean {
    return this.#queue.idle && this.#tail.ended
  }

  #idOf(sequence: number): string {
    return messageId(this.context.identity.id, this.#session.id, sequence)
  }

  override async publish(payload: Uint8Array, options: PublishOptions | undefined): Promise<PublishReceipt> {
    const { limits, environment, timeouts } = this.context
    if (payload.byteLength > limits.maxPayloadBytes) {
      throw tooLarge(
        `a payload of ${payload.byteLength} bytes is over limits.maxPayloadBytes (${limits.maxPayloadBytes}): add it with peer.data and publish its CID`
      )
    }
    const headers = options?.headers === undefined ? noHeaders : checkHeaders(options.headers)
    const extra = messageOverhead + headersSize(headers)
    // Reserves no room for hints: a batch with claims is smaller, and this payload then travels alone.
    if (payload.byteLength + extra <= this.#maxEnvelopeBytes - envelopeOverhead) {
      return await this.#queue.publish({ content: payload, headers }, payload.byteLength + extra, options)
    }
    if (claimSize + extra > this.#maxEnvelopeBytes - envelopeOverhead - hintSize) {
      throw invalidArgument('publish', `publish: the headers do not fit a message of ${this.#maxEnvelopeBytes} bytes`)
    }
    const { clock } = environment
    const began = clock.now()
    const timeout = timeoutOf(options, timeouts.publish, 'publish')
    const content = await this.#leaveClaim(payload, options)
    // Both steps share one timeout. If the first step uses up a given timeout, the second still gets one attempt.
    const rest = options?.timeout === undefined ? timeout : Math.max(1, timeout - (clock.now() - began))
    return await this.#queue.publish({ content, headers }, claimSize + extra, { ...options, timeout: rest })
  }

  async #leaveClaim(payload: Uint8Array, options: PublishOptions | undefined): Promise<Payload> {
    const { claims, backendName } = this.context
    if (claims === undefined) {
      throw tooLarge(
        `a payload of ${payload.byteLength} bytes does not fit a message (${this.#maxEnvelopeBytes} bytes) and there is no data backend to leave it with: give createPeer one as "data"`,
        backendName
      )
    }
    const { signal, timeout, context } = options ?? {}
    const cid = await claims.put(payload, { signal, timeout, context })
    return { cid, size: payload.byteLength }
  }

  async #send(messages: ReadonlyArray<Pending<EnvelopeMessage>>, signal: AbortSignal): Promise<number | undefined> {
    const first = messages[0]?.sequence ?? this.#queue.next
    const items = messages.map((message) => message.item)
    const recipients = await this.#publishEnvelope(first, items, signal, messages[0]?.context)
    if (this.context.capabilities().delivery === 'at-most-once') this.#tail.schedule()
    return recipients
  }

  async #publishEnvelope(
    first: number,
    messages: readonly EnvelopeMessage[],
    signal: AbortSignal,
    context: unknown
  ): Promise<number | undefined> {
    const { identity, environment, transport, self } = this.context
    const { clock } = environment
    const claimed = messages.some(({ content }) => !(content instanceof Uint8Array))
    const bytes = await sealEnvelope(
      this.#bytes,
      {
        publicKey: identity.publicKey,
        session: this.#session.id,
        age: Math.max(0, Math.floor(clock.now() - this.#session.began)),
        sent: Math.max(0, Math.floor(clock.wall())),
        first,
        messages,
        providers: claimed ? self() : []
      },
      identity
    )
    const { recipients } = await transport.publish(this.name, bytes, { signal, context })
    this.count('envelopes', 1)
    return recipients
  }

  #echo(sequence: number, payload: Uint8Array, headers: Message['headers']): void {
    if (!this.hasEcho) return
    const sender = this.context.identity.id
    const id = this.#idOf(sequence)
    this.deliverOwn({
      type: 'message',
      topic: this.name,
      payload: new Uint8Array(payload),
      sender,
      sequence,
      id,
      headers
    })
  }

  protected override async join(signal: AbortSignal): Promise<Joined> {
    const inbox = new Inbox({
      context: this.context,
      topic: this.name,
      topicBytes: this.#bytes,
      maxEnvelopeBytes: this.#maxEnvelopeBytes,
      maxPayloadBytes: () => this.maxPayloadBytes,
      deliver: (item) => {
        if ('reason' in item) this.deliverGap(item)
        else this.deliver(item)
      },
      onDrop: (reason) => {
        this.drop(reason)
      },
      onOwn: (session) => {
        this.#onOwn(session)
      }
    })
    const joined = await this.context.transport.subscribe(
      this.name,
      {
        message: (incoming) => inbox.receive(incoming),
        gap: (gap) => {
          this.deliverGap(gap)
        },
        state: (state) => {
          this.changed(state)
        }
      },
      { signal }
    )
    return {
      close: async () => {
        inbox.stop()
        await joined.close()
      }
    }
  }

  /** Both peers hear of each other, so both are warned; a captured envelope of an earlier session warns once, too. */
  #onOwn(session: number): void {
    if (session === this.#session.id || this.#heardOwn.has(session) || this.#heardOwn.size >= 64) return
    this.#heardOwn.add(session)
    this.warn(
      `another peer signs with the identity of this one on topic "${this.name}": neither gets the messages of the other. Give every device a key of its own. (Right after a restart, it may be what this peer sent before.)`
    )
  }

  /** Tells receivers how many messages there were, then releases everything. */
  async close(): Promise<void> {
    await this.closeSubscriptions()
    await this.#tail.finish()
    this.checkIdle()
  }

  override async stop(error: P2plError): Promise<void> {
    this.#queue.stop(error)
    this.#tail.stop()
    await super.stop(error)
  }
}

function tooLarge(message: string, backend?: string): P2plError {
  return new P2plError({ code: 'TOO_LARGE', operation: 'publish', backend, message })
}

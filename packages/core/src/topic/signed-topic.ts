import type { PublishOptions, PublishReceipt } from '../api/topic.ts'
import { isP2plError, P2plError } from '../errors.ts'
import {
  claimSize,
  type Envelope,
  envelopeOverhead,
  hintSize,
  messageOverhead,
  type Payload,
  sealEnvelope
} from '../envelope/envelope.ts'
import type { TransportSubscription } from '../port/messages.ts'
import { BaseTopic } from './base-topic.ts'
import type { TopicContext } from './context.ts'
import { Inbox, messageId } from './inbox.ts'
import { type Pending, PublishQueue } from './publish-queue.ts'

/**
 * After the last message, an empty envelope tells how many there were, this long after it and then at three times the
 * distance each: receivers that lost the tail of the stream learn of it even when nothing follows.
 */
const firstTail = 3_000
const lastTail = 300_000

/** A topic with signed envelopes: see `envelope/envelope.ts` for their form. */
export class SignedTopic extends BaseTopic {
  override readonly mode = 'signed'
  readonly #bytes: Uint8Array
  readonly #maxEnvelopeBytes: number
  readonly #queue: PublishQueue<Payload>
  #session: number | undefined
  #inbox: Inbox | undefined
  #tail: unknown
  #warned = false

  constructor(name: string, context: TopicContext) {
    super(name, context)
    this.#bytes = new TextEncoder().encode(name)
    const { limits, capabilities } = context
    this.#maxEnvelopeBytes = Math.min(limits.maxEnvelopeBytes, capabilities.maxMessageBytes)
    this.#queue = new PublishQueue({
      context,
      topic: name,
      maxBatchBytes: this.#maxEnvelopeBytes - envelopeOverhead - hintSize,
      maxBatchMessages: limits.maxMessagesPerEnvelope,
      send: async (messages, signal) => await this.#send(messages, signal),
      idOf: (sequence) => this.#idOf(sequence),
      onPublished: ({ sequence, item }) => {
        this.count('published', 1)
        if (item instanceof Uint8Array) this.#echo(sequence, item)
      }
    })
  }

  /** Largest payload that still travels in an envelope. */
  get #maxInlineBytes(): number {
    // Without room for a hint: a batch with claims is smaller, and this payload then travels alone.
    return this.#maxEnvelopeBytes - envelopeOverhead - messageOverhead
  }

  #idOf(sequence: number): string | undefined {
    return this.#session === undefined ? undefined : messageId(this.context.identity.id, this.#session, sequence)
  }

  protected override async publishPayload(
    payload: Uint8Array,
    options: PublishOptions | undefined
  ): Promise<PublishReceipt> {
    const { limits } = this.context
    if (payload.byteLength > limits.maxPayloadBytes) {
      throw new P2plError({
        code: 'TOO_LARGE',
        operation: 'publish',
        message: `a payload of ${payload.byteLength} bytes is over limits.maxPayloadBytes (${limits.maxPayloadBytes}): add it with peer.data and publish its CID`
      })
    }
    if (payload.byteLength <= this.#maxInlineBytes) {
      return await this.#queue.publish(payload, payload.byteLength + messageOverhead, options)
    }
    const { clock } = this.context
    const began = clock.now()
    const claim = await this.#leaveClaim(payload, options)
    const { deadline } = options ?? {}
    if (deadline === undefined) return await this.#queue.publish(claim, claimSize, options)
    // One deadline for both steps; what is left of it may be nothing.
    return await this.#queue.publish(claim, claimSize, {
      ...options,
      deadline: Math.max(Number.MIN_VALUE, deadline - (clock.now() - began))
    })
  }

  async #leaveClaim(payload: Uint8Array, options: PublishOptions | undefined): Promise<Payload> {
    const { claims, backendName } = this.context
    if (claims === undefined) {
      throw new P2plError({
        code: 'TOO_LARGE',
        operation: 'publish',
        backend: backendName,
        message: `a payload of ${payload.byteLength} bytes does not fit a message (${this.#maxInlineBytes} bytes) and there is no data backend to leave it with: give createPeer one as "data"`
      })
    }
    const { signal, deadline } = options ?? {}
    const cid = await claims.put(payload, { signal, deadline })
    return { cid, size: payload.byteLength }
  }

  async #send(messages: ReadonlyArray<Pending<Payload>>, signal: AbortSignal): Promise<number | undefined> {
    const first = messages[0]?.sequence ?? this.#queue.next
    const payloads = messages.map((message) => message.item)
    const recipients = await this.#publishEnvelope(first, payloads, signal)
    this.#scheduleTail(firstTail)
    return recipients
  }

  async #publishEnvelope(
    first: number,
    messages: readonly Payload[],
    signal: AbortSignal
  ): Promise<number | undefined> {
    const { identity, clock, random, transport, claims } = this.context
    this.#session ??= Math.floor(clock.now()) * 1024 + Math.floor(random() * 1024)
    const claimed = messages.some((payload) => !(payload instanceof Uint8Array))
    const envelope: Envelope = {
      publicKey: identity.publicKey,
      session: this.#session,
      first,
      messages,
      provider: claimed ? claims?.self() : undefined
    }
    const bytes = await sealEnvelope(this.#bytes, envelope, identity)
    const { recipients } = await transport.publish(this.name, bytes, { signal })
    this.count('envelopes', 1)
    return recipients
  }

  #echo(sequence: number, payload: Uint8Array): void {
    if (!this.hasEcho) return
    const { identity } = this.context
    this.deliverOwn({
      type: 'message',
      topic: this.name,
      payload: new Uint8Array(payload),
      sender: identity.id,
      sequence,
      id: this.#idOf(sequence)
    })
  }

  #scheduleTail(delay: number): void {
    const { clock } = this.context
    if (this.#tail !== undefined) clock.clearTimeout(this.#tail)
    this.#tail = undefined
    if (delay > lastTail || this.stopped) return
    this.#tail = clock.setTimeout(() => {
      this.#sendTail(delay).catch((error: unknown) => {
        // Nobody asked for it: a tail that cannot be sent now is told by the next one.
        if (!isP2plError(error)) this.warn(`could not announce the end of topic "${this.name}": ${String(error)}`)
        this.#scheduleTail(delay * 3)
      })
    }, delay)
  }

  async #sendTail(delay: number): Promise<void> {
    const { deadlines } = this.context
    const controller = new AbortController()
    const timer = this.context.clock.setTimeout(() => {
      controller.abort()
    }, deadlines.publish)
    try {
      await this.#publishEnvelope(this.#queue.next, [], controller.signal)
    } finally {
      this.context.clock.clearTimeout(timer)
    }
    this.#scheduleTail(delay * 3)
  }

  protected override async join(signal: AbortSignal): Promise<TransportSubscription> {
    const { context } = this
    const inbox = new Inbox({
      context,
      topic: this.name,
      topicBytes: this.#bytes,
      maxEnvelopeBytes: this.#maxEnvelopeBytes,
      deliver: (item) => {
        this.deliver(item)
      },
      onDrop: (reason) => {
        this.drop(reason)
      },
      onOwn: (session) => {
        this.#onOwn(session)
      }
    })
    this.#inbox = inbox
    const validation = context.capabilities.validation === 'none' ? {} : { validate: inbox.validate.bind(inbox) }
    const subscription = await context.transport.subscribe(
      this.name,
      {
        message: (incoming) => {
          inbox.receive(incoming)
        },
        gap: (gap) => {
          this.deliver({ type: 'gap', topic: this.name, reason: gap.reason })
        },
        ...validation
      },
      { signal }
    )
    return {
      close: async () => {
        inbox.stop()
        await subscription.close()
      }
    }
  }

  #onOwn(session: number): void {
    if (this.#warned || session === this.#session || (this.#session !== undefined && session < this.#session)) return
    this.#warned = true
    this.warn(
      'another running peer uses the same identity: each loses the messages of the other; give every peer its own'
    )
  }

  override async stop(error: P2plError): Promise<void> {
    this.#queue.stop(error)
    if (this.#tail !== undefined) this.context.clock.clearTimeout(this.#tail)
    this.#inbox?.stop()
    await super.stop(error)
  }
}

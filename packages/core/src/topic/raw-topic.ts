import type { PublishOptions, PublishReceipt, RawMessage } from '../api/topic.ts'
import { invalidArgument, P2plError } from '../errors.ts'
import type { IncomingMessage, Joined, Verdict } from '../port/messages.ts'
import { BaseTopic } from './base-topic.ts'
import type { TopicContext } from './context.ts'
import { type Pending, PublishQueue } from './publish-queue.ts'
import { RawEcho } from './raw-echo.ts'

/** A topic with bare payloads, for subscribers and publishers that do not know p2pl. */
export class RawTopic extends BaseTopic<RawMessage> {
  override readonly mode = 'raw'
  readonly #queue: PublishQueue<Uint8Array>
  readonly #echo = new RawEcho()

  constructor(name: string, context: TopicContext, onIdle: () => void) {
    super(name, context, onIdle)
    this.#queue = new PublishQueue({
      context,
      topic: name,
      maxBatchBytes: 1,
      maxBatchMessages: 1,
      repeatable: false,
      send: async (messages, signal) => await this.#send(messages, signal),
      idOf: () => undefined,
      onPublished: ({ item }) => {
        this.count('published', 1)
        if (this.hasEcho) this.deliverOwn({ type: 'message', topic: this.name, payload: new Uint8Array(item) })
      },
      onIdle: () => {
        this.checkIdle()
      }
    })
  }

  protected override get quiet(): boolean {
    return this.#queue.idle
  }

  override async publish(payload: Uint8Array, options: PublishOptions | undefined): Promise<PublishReceipt> {
    const { capabilities, backendName } = this.context
    const { maxMessageBytes } = capabilities()
    if (options?.headers !== undefined) {
      throw invalidArgument('publish', 'a raw topic has no headers: use a signed topic')
    }
    if (payload.byteLength > maxMessageBytes) {
      throw new P2plError({
        code: 'TOO_LARGE',
        operation: 'publish',
        backend: backendName,
        message: `a raw payload of ${payload.byteLength} bytes is over the engine's limit of ${maxMessageBytes}: add it with peer.data and publish its CID, or use a signed topic`
      })
    }
    return await this.#queue.publish(payload, payload.byteLength, options)
  }

  async #send([message]: ReadonlyArray<Pending<Uint8Array>>, signal: AbortSignal): Promise<number | undefined> {
    const { transport, capabilities } = this.context
    if (message === undefined) return undefined
    const { item, context } = message
    if (capabilities().echo) this.#echo.remember(item)
    const { recipients } = await transport.publish(this.name, item, { signal, context })
    this.count('envelopes', 1)
    return recipients
  }

  protected override async join(signal: AbortSignal): Promise<Joined> {
    return await this.context.transport.subscribe(
      this.name,
      {
        message: (incoming) => this.#receive(incoming),
        gap: (gap) => {
          this.deliverGap(gap)
        },
        state: (state) => {
          this.changed(state)
        }
      },
      { signal }
    )
  }

  #receive({ payload, from }: IncomingMessage): Verdict {
    const { capabilities, self } = this.context
    const { maxMessageBytes, echo } = capabilities()
    if (payload.byteLength > maxMessageBytes) {
      this.drop('oversized')
      return 'reject'
    }
    const mayBeOwn = echo && (from === undefined || self().some(({ id }) => id === from))
    if (!mayBeOwn || !this.#echo.isEcho(payload)) {
      this.deliver({ type: 'message', topic: this.name, payload, ...(from === undefined ? {} : { sender: from }) })
    }
    return 'accept'
  }

  async close(): Promise<void> {
    await this.closeSubscriptions()
    this.checkIdle()
  }

  override async stop(error: P2plError): Promise<void> {
    this.#queue.stop(error)
    await super.stop(error)
  }
}

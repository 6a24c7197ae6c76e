import type { PublishOptions, PublishReceipt } from '../api/topic.ts'
import { P2plError } from '../errors.ts'
import type { IncomingMessage, TransportSubscription } from '../port/messages.ts'
import { BaseTopic } from './base-topic.ts'
import type { TopicContext } from './context.ts'
import { type Pending, PublishQueue } from './publish-queue.ts'
import { RawEcho } from './raw-echo.ts'

/** A topic with bare payloads, for those who do not know p2pl. */
export class RawTopic extends BaseTopic {
  override readonly mode = 'raw'
  readonly #queue: PublishQueue<Uint8Array>
  readonly #echo = new RawEcho()

  constructor(name: string, context: TopicContext) {
    super(name, context)
    this.#queue = new PublishQueue({
      context,
      topic: name,
      maxBatchBytes: 1,
      maxBatchMessages: 1,
      send: async (messages, signal) => await this.#send(messages, signal),
      idOf: () => undefined,
      onPublished: ({ item }) => {
        this.count('published', 1)
        if (this.hasEcho) this.deliverOwn({ type: 'message', topic: this.name, payload: new Uint8Array(item) })
      }
    })
  }

  protected override async publishPayload(
    payload: Uint8Array,
    options: PublishOptions | undefined
  ): Promise<PublishReceipt> {
    const { capabilities, backendName } = this.context
    if (payload.byteLength > capabilities.maxMessageBytes) {
      throw new P2plError({
        code: 'TOO_LARGE',
        operation: 'publish',
        backend: backendName,
        message: `a raw payload of ${payload.byteLength} bytes is over the engine's limit of ${capabilities.maxMessageBytes}: add it with peer.data and publish its CID, or use a signed topic`
      })
    }
    return await this.#queue.publish(payload, payload.byteLength, options)
  }

  async #send(messages: ReadonlyArray<Pending<Uint8Array>>, signal: AbortSignal): Promise<number | undefined> {
    const { transport, capabilities } = this.context
    let recipients: number | undefined
    for (const { item } of messages) {
      if (capabilities.echo) this.#echo.remember(item)
      const result = await transport.publish(this.name, item, { signal })
      recipients = result.recipients
      this.count('envelopes', 1)
    }
    return recipients
  }

  protected override async join(signal: AbortSignal): Promise<TransportSubscription> {
    const { transport } = this.context
    return await transport.subscribe(
      this.name,
      {
        message: (incoming) => {
          this.#receive(incoming)
        },
        gap: (gap) => {
          this.deliver({ type: 'gap', topic: this.name, reason: gap.reason })
        }
      },
      { signal }
    )
  }

  #receive({ payload, from }: IncomingMessage): void {
    const { capabilities, selfId } = this.context
    if (payload.byteLength > capabilities.maxMessageBytes) {
      this.drop('oversized')
      return
    }
    const mayBeOwn = capabilities.echo && (from === undefined || from === selfId())
    if (mayBeOwn && this.#echo.isEcho(payload)) return
    this.deliver({ type: 'message', topic: this.name, payload, ...(from === undefined ? {} : { sender: from }) })
  }

  override async stop(error: P2plError): Promise<void> {
    this.#queue.stop(error)
    await super.stop(error)
  }
}

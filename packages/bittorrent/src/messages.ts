import type {
  AbortOptions,
  MessageTransport,
  PeerInfo,
  PublishResult,
  Subscriber,
  TransportSubscription
} from '@p2pl/core/backend'
import type { Door } from './door.ts'
import { failure } from './errors.ts'
import { peerInfoOf } from './peers.ts'

export const maxMessageBytes = 1_048_576
const maxTopicBytes = 1_024

/** Topic messages by the overlay on the links. */
export class Messages implements MessageTransport {
  readonly #door: Door

  constructor(door: Door) {
    this.#door = door
  }

  async publish(topic: string, payload: Uint8Array, options?: AbortOptions): Promise<PublishResult> {
    return await this.#door.quick('messages.publish', options, ({ gossip }) => {
      checkTopic('messages.publish', topic)
      checkPayload(payload)
      return { recipients: gossip.publish(topic, payload) }
    })
  }

  async subscribe(topic: string, subscriber: Subscriber, options?: AbortOptions): Promise<TransportSubscription> {
    return await this.#door.quick('messages.subscribe', options, ({ gossip }) => {
      checkTopic('messages.subscribe', topic)
      const { subscribers } = gossip.audience(topic)
      // An object of its own for each subscription: the same subscriber may be given twice.
      const own: Subscriber = {
        message: (message) => subscriber.message(message),
        gap: (gap) => subscriber.gap(gap),
        ...(subscriber.validate === undefined
          ? {}
          : { validate: (message) => subscriber.validate?.(message) ?? 'accept' })
      }
      subscribers.add(own)
      if (subscribers.size === 1) gossip.join(topic)
      return {
        close: () => {
          if (subscribers.delete(own) && subscribers.size === 0) gossip.leave(topic)
          return Promise.resolve()
        }
      }
    })
  }

  async peers(topic: string, options?: AbortOptions): Promise<readonly PeerInfo[]> {
    return await this.#door.quick('messages.peers', options, ({ gossip }) => {
      checkTopic('messages.peers', topic)
      return gossip.neighbours(topic).map(peerInfoOf)
    })
  }
}

function checkTopic(operation: string, topic: string): void {
  if (typeof topic !== 'string' || topic === '' || Buffer.byteLength(topic) > maxTopicBytes)
    throw failure({
      code: 'INVALID_ARGUMENT',
      operation,
      message: `a topic is a string of 1 to ${maxTopicBytes} bytes of UTF-8`
    })
}

function checkPayload(payload: Uint8Array): void {
  const operation = 'messages.publish'
  if (!(payload instanceof Uint8Array))
    throw failure({ code: 'INVALID_ARGUMENT', operation, message: 'a payload is a Uint8Array' })
  if (payload.byteLength > maxMessageBytes)
    throw failure({
      code: 'TOO_LARGE',
      operation,
      message: `a payload has at most ${maxMessageBytes} bytes, not ${payload.byteLength}: publish a CID instead`
    })
}

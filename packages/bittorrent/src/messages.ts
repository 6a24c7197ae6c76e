import type {
  AbortOptions,
  MessageTransport,
  PeerInfo,
  PublishResult,
  Subscriber,
  TransportSubscription
} from '@p2pl/core/backend'
import { checkPayload, checkTopic, ownSubscriber, type Door } from '@p2pl/embedded'
import type { Engine } from './engine.ts'
import { maxMessageBytes } from './overlay/gossip/gossip.ts'
import { peerInfoOf } from './peers.ts'

/** Topic messages by the overlay on the links. */
export class Messages implements MessageTransport {
  readonly #door: Door<Engine>

  constructor(door: Door<Engine>) {
    this.#door = door
  }

  async publish(topic: string, payload: Uint8Array, options?: AbortOptions): Promise<PublishResult> {
    return await this.#door.quick('messages.publish', options, ({ overlay: { gossip } }) => {
      checkTopic(this.#door.failures, 'messages.publish', topic)
      checkPayload(this.#door.failures, 'messages.publish', payload, maxMessageBytes)
      return { recipients: gossip.publish(topic, payload) }
    })
  }

  async subscribe(topic: string, subscriber: Subscriber, options?: AbortOptions): Promise<TransportSubscription> {
    return await this.#door.quick('messages.subscribe', options, ({ overlay: { gossip } }) => {
      checkTopic(this.#door.failures, 'messages.subscribe', topic)
      const { subscribers } = gossip.audience(topic)
      const own = ownSubscriber(subscriber)
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
    return await this.#door.quick('messages.peers', options, ({ overlay: { gossip } }) => {
      checkTopic(this.#door.failures, 'messages.peers', topic)
      return gossip.peers(topic).map(peerInfoOf)
    })
  }
}

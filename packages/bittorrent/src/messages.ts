import type { Joined, MessageHooks, PeerInfo, PublishResult, Subscriber } from '@p2pl/core/backend'
import type { Gossip } from './overlay/gossip/gossip.ts'
import type { Topics } from './overlay/gossip/topics.ts'
import { peerInfoOf } from './peers.ts'

/** Topic messages through the overlay. */
export class Messages implements Required<MessageHooks> {
  readonly #gossip: Gossip
  readonly #topics: Topics

  constructor(gossip: Gossip, topics: Topics) {
    this.#gossip = gossip
    this.#topics = topics
  }

  async publish(topic: string, payload: Uint8Array): Promise<PublishResult> {
    return { recipients: await this.#gossip.publish(topic, payload) }
  }

  async join(topic: string, subscriber: Required<Subscriber>): Promise<Joined> {
    this.#topics.join(topic, subscriber)
    return { close: async () => this.#topics.leave(topic) }
  }

  async peers(topic: string): Promise<readonly PeerInfo[]> {
    return this.#topics.peers(topic).map(peerInfoOf)
  }
}

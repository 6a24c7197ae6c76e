import type {
  AbortOptions,
  IncomingMessage,
  MessageTransport,
  PeerInfo,
  PublishResult,
  Subscriber,
  TransportSubscription,
  Verdict
} from '@p2pl/core/backend'
import { peerInfo } from '../address.ts'
import { failure } from '../errors.ts'
import type { Endpoint } from '../network/endpoint.ts'
import type { SimulatedNetwork } from '../network/network.ts'
import { Inbox } from './inbox.ts'
import type { Lifecycle } from './lifecycle.ts'

const maxTopicBytes = 1024
const utf8 = new TextEncoder()

/** The subscriptions of one backend, by topic. */
export class Subscriptions {
  readonly #inboxes = new Map<string, Set<Inbox>>()

  has(topic: string): boolean {
    return this.#inboxes.has(topic)
  }

  /** Whether it is the first of its topic. */
  add(topic: string, inbox: Inbox): boolean {
    const inboxes = this.#inboxes.get(topic)
    inboxes?.add(inbox)
    if (inboxes === undefined) this.#inboxes.set(topic, new Set([inbox]))
    return inboxes === undefined
  }

  /** Whether it was the last of its topic. */
  remove(topic: string, inbox: Inbox): boolean {
    inbox.close()
    const inboxes = this.#inboxes.get(topic)
    if (inboxes === undefined || !inboxes.delete(inbox) || inboxes.size > 0) return false
    return this.#inboxes.delete(topic)
  }

  closeAll(): void {
    for (const inboxes of this.#inboxes.values()) for (const inbox of inboxes) inbox.close()
    this.#inboxes.clear()
  }

  /** Every subscription decides for itself; the message is passed on when none of them objects. */
  receive(topic: string, message: IncomingMessage): Verdict | Promise<Verdict> {
    const inboxes = this.#inboxes.get(topic)
    if (inboxes === undefined) return 'ignore'
    const pending: Promise<Verdict>[] = []
    let worst: Verdict = 'accept'
    for (const inbox of inboxes) {
      const verdict = inbox.accept(message)
      if (typeof verdict === 'string') worst = worse(worst, verdict)
      else pending.push(verdict)
    }
    return pending.length === 0 ? worst : Promise.all(pending).then((verdicts) => verdicts.reduce(worse, worst))
  }
}

function worse(a: Verdict, b: Verdict): Verdict {
  if (a === 'reject' || b === 'reject') return 'reject'
  return a === 'ignore' ? a : b
}

export function createMessages(
  network: SimulatedNetwork,
  endpoint: Endpoint,
  lifecycle: Lifecycle,
  subscriptions: Subscriptions,
  maxMessageBytes: number
): MessageTransport {
  const node = network.node(endpoint.id)
  return {
    async publish(topic: string, payload: Uint8Array, options?: AbortOptions): Promise<PublishResult> {
      lifecycle.assert('messages.publish', options?.signal)
      checkTopic('messages.publish', topic)
      if (!(payload instanceof Uint8Array))
        throw failure('INVALID_ARGUMENT', 'messages.publish', 'a payload is a Uint8Array')
      if (payload.byteLength > maxMessageBytes)
        throw failure(
          'TOO_LARGE',
          'messages.publish',
          `a payload has at most ${maxMessageBytes} bytes, not ${payload.byteLength}`
        )
      // The caller may use its buffer again as soon as the call returns.
      return { recipients: network.topics.publish(node, topic, payload.slice()) }
    },

    async subscribe(topic: string, subscriber: Subscriber, options?: AbortOptions): Promise<TransportSubscription> {
      lifecycle.assert('messages.subscribe', options?.signal)
      checkTopic('messages.subscribe', topic)
      const inbox = new Inbox(subscriber)
      if (subscriptions.add(topic, inbox)) network.topics.changed(node, topic)
      return {
        async close(): Promise<void> {
          if (subscriptions.remove(topic, inbox) && lifecycle.running) network.topics.changed(node, topic)
        }
      }
    },

    async peers(topic: string, options?: AbortOptions): Promise<readonly PeerInfo[]> {
      lifecycle.assert('messages.peers', options?.signal)
      checkTopic('messages.peers', topic)
      return network.topics.recipients(node, topic).map(peerInfo)
    }
  }
}

function checkTopic(operation: string, topic: string): void {
  const fits =
    typeof topic === 'string' &&
    topic !== '' &&
    (topic.length * 3 <= maxTopicBytes || utf8.encode(topic).byteLength <= maxTopicBytes)
  if (!fits) throw failure('INVALID_ARGUMENT', operation, `a topic is a string of 1 to ${maxTopicBytes} bytes of UTF-8`)
}

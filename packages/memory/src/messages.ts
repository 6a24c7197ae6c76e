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
import { failure } from './errors.ts'
import { Inbox } from './inbox.ts'
import { peerInfo } from './key.ts'
import type { Lifecycle } from './lifecycle.ts'
import type { MemoryNetwork } from './network.ts'

const maxTopicBytes = 1024
const utf8 = new TextEncoder()

/** The subscriptions of one backend, by topic. */
export class Subscriptions {
  readonly #inboxes = new Map<string, Set<Inbox>>()

  has(topic: string): boolean {
    return this.#inboxes.has(topic)
  }

  add(topic: string, inbox: Inbox): void {
    this.#inboxes.set(topic, (this.#inboxes.get(topic) ?? new Set()).add(inbox))
  }

  remove(topic: string, inbox: Inbox): void {
    inbox.close()
    const inboxes = this.#inboxes.get(topic)
    if (inboxes?.delete(inbox) === true && inboxes.size === 0) this.#inboxes.delete(topic)
  }

  closeAll(): void {
    for (const inboxes of this.#inboxes.values()) for (const inbox of inboxes) inbox.close()
    this.#inboxes.clear()
  }

  missed(): void {
    for (const inboxes of this.#inboxes.values()) for (const inbox of inboxes) inbox.gap('disconnected')
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
  network: MemoryNetwork,
  id: string,
  lifecycle: Lifecycle,
  subscriptions: Subscriptions,
  maxMessageBytes: number
): MessageTransport {
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
      return { recipients: network.publish(id, topic, payload.slice()) }
    },

    async subscribe(topic: string, subscriber: Subscriber, options?: AbortOptions): Promise<TransportSubscription> {
      lifecycle.assert('messages.subscribe', options?.signal)
      checkTopic('messages.subscribe', topic)
      const inbox = new Inbox(subscriber)
      subscriptions.add(topic, inbox)
      return {
        async close(): Promise<void> {
          subscriptions.remove(topic, inbox)
        }
      }
    },

    async peers(topic: string, options?: AbortOptions): Promise<readonly PeerInfo[]> {
      lifecycle.assert('messages.peers', options?.signal)
      checkTopic('messages.peers', topic)
      return network.recipients(id, topic).map(peerInfo)
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

import type { Backend, MessageTransport, Subscriber, TransportSubscription } from '@p2pl/core/backend'
import { type Interceptor, merge, part } from './call.ts'

export function aroundMessages(backend: Backend, intercept: Interceptor): MessageTransport {
  const inner = (): MessageTransport => part(backend, 'messages')
  const { name } = backend
  return {
    publish: (topic, payload, options) =>
      intercept.call(
        { operation: 'messages.publish', backend: name, signal: options?.signal, sentBytes: payload.byteLength },
        (changes) => inner().publish(topic, payload, merge(options, changes))
      ),
    subscribe: async (topic, subscriber, options) => {
      const gate = new Gate(intercept.subscriber?.(subscriber, topic, name) ?? subscriber)
      try {
        const subscription = await intercept.call(
          {
            operation: 'messages.subscribe',
            backend: name,
            signal: options?.signal,
            discard: (late) => void (late as TransportSubscription).close().catch(() => undefined)
          },
          (changes) => inner().subscribe(topic, gate.subscriber, merge(options, changes))
        )
        return {
          close: () => {
            gate.close()
            return subscription.close()
          }
        }
      } catch (error) {
        gate.close()
        throw error
      }
    },
    peers: (topic, options) =>
      intercept.call({ operation: 'messages.peers', backend: name, signal: options?.signal }, (changes) =>
        inner().peers(topic, merge(options, changes))
      )
  }
}

/** Lets nothing through once the subscription was closed or given up, whatever is still on its way inside. */
class Gate {
  #open = true
  readonly subscriber: Subscriber

  constructor(subscriber: Subscriber) {
    this.subscriber = {
      message: (message) => {
        if (this.#open) subscriber.message(message)
      },
      gap: (gap) => {
        if (this.#open) subscriber.gap(gap)
      },
      ...(subscriber.validate === undefined
        ? undefined
        : { validate: (message) => (this.#open ? (subscriber.validate?.(message) ?? 'ignore') : 'ignore') })
    }
  }

  close(): void {
    this.#open = false
  }
}

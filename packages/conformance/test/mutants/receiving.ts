import type { IncomingMessage, Subscriber } from '@p2pl/core/backend'
import { inMessages, type Mutant } from './mutant.ts'

type Receive = (message: IncomingMessage, next: (message: IncomingMessage) => void) => void

/** Changes what a subscriber receives. */
export function receiving(
  name: string,
  caughtBy: RegExp,
  make: (topic: string, id: string) => Receive,
  rest: Parameters<typeof inMessages>[3] = {}
): Mutant {
  return inMessages(
    name,
    caughtBy,
    (messages, node) => ({
      subscribe: async (topic, subscriber, options) => {
        const receive = make(topic, node.store.id)
        return await messages.subscribe(
          topic,
          {
            ...bound(subscriber),
            message: (message) => {
              receive(message, (changed) => void subscriber.message(changed))
              return 'accept'
            }
          },
          options
        )
      }
    }),
    rest
  )
}

/** Changes what is published. */
export function publishing(name: string, caughtBy: RegExp, change: (payload: Uint8Array) => Uint8Array): Mutant {
  return inMessages(name, caughtBy, (messages) => ({
    publish: async (topic, payload, options) => await messages.publish(topic, change(payload), options)
  }))
}

/** Changes the topic that the engine sees. */
export function renaming(name: string, caughtBy: RegExp, rename: (topic: string) => string): Mutant {
  return inMessages(name, caughtBy, (messages) => ({
    publish: async (topic, payload, options) => await messages.publish(rename(topic), payload, options),
    subscribe: async (topic, subscriber, options) => await messages.subscribe(rename(topic), subscriber, options),
    peers: async (topic, options) => await messages.peers(rename(topic), options)
  }))
}

export function bound(subscriber: Subscriber): Required<Subscriber> {
  return {
    message: (message) => subscriber.message(message),
    gap: (gap) => subscriber.gap(gap),
    state: (state) => subscriber.state?.(state)
  }
}

/** Changes what lies between a subscriber and its backend. */
export function judging(name: string, wrap: (subscriber: Required<Subscriber>) => Subscriber): Mutant {
  return inMessages(name, /a verdict of any kind/, (messages) => ({
    subscribe: async (topic, subscriber, options) => await messages.subscribe(topic, wrap(bound(subscriber)), options)
  }))
}

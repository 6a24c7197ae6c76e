import type { Backend, IncomingMessage, MessageCapabilities, Subscriber } from '../../src/backend.ts'
import { P2plError } from '../../src/errors.ts'

export interface Bus {
  /** Everything that was published, in order. */
  readonly published: Array<{ topic: string; payload: Uint8Array; from: string }>
  /** Decides what happens to a message on its way to one receiver; default: delivered. */
  route: (message: { topic: string; payload: Uint8Array; from: string }, to: string) => 'deliver' | 'drop'
  /** Fails publishes while set. */
  failure: P2plError | undefined
  /** Gives bytes to every subscriber of a topic, as a stranger would. */
  inject: (topic: string, payload: Uint8Array) => void
  backend: (name: string, overrides?: Partial<MessageCapabilities>) => Backend
}

/** A message-only engine in this process whose losses a test controls. */
export function createBus(): Bus {
  const subscribers = new Map<string, Set<{ owner: string; subscriber: Subscriber }>>()
  const of = (topic: string): Set<{ owner: string; subscriber: Subscriber }> => {
    const known = subscribers.get(topic) ?? new Set()
    subscribers.set(topic, known)
    return known
  }
  const hand = async (subscriber: Subscriber, incoming: IncomingMessage): Promise<void> => {
    if (subscriber.validate !== undefined && (await subscriber.validate(incoming)) !== 'accept') return
    subscriber.message(incoming)
  }
  const bus: Bus = {
    published: [],
    route: () => 'deliver',
    failure: undefined,
    inject: (topic, payload) => {
      for (const { subscriber } of of(topic)) void hand(subscriber, { payload, from: 'stranger' })
    },
    backend: (name, overrides = {}) => {
      const capabilities: MessageCapabilities = {
        delivery: 'at-most-once',
        ordering: 'sender',
        echo: false,
        duplicates: 'delivered',
        maxMessageBytes: 1024 * 1024,
        pacing: 0,
        peers: 'native',
        recipients: 'native',
        gaps: 'native',
        validation: 'none',
        sender: 'claimed',
        ...overrides
      }
      return {
        name,
        capabilities: { runtimes: ['node', 'browser'], messages: capabilities },
        start: async () => undefined,
        stop: async () => undefined,
        self: () => ({ id: name, addresses: [] }),
        messages: {
          publish: async (topic, payload) => {
            if (bus.failure !== undefined) throw bus.failure
            if (payload.byteLength > capabilities.maxMessageBytes)
              throw new P2plError({ code: 'TOO_LARGE', message: 'bus' })
            const message = { topic, payload: new Uint8Array(payload), from: name }
            bus.published.push(message)
            const receivers = [...of(topic)].filter(({ owner }) => capabilities.echo || owner !== name)
            for (const { owner, subscriber } of receivers) {
              if (bus.route(message, owner) === 'deliver')
                void hand(subscriber, { payload: message.payload, from: name })
            }
            if (capabilities.recipients === 'none') return {}
            return { recipients: new Set(receivers.map(({ owner }) => owner).filter((owner) => owner !== name)).size }
          },
          subscribe: async (topic, subscriber) => {
            const entry = { owner: name, subscriber }
            of(topic).add(entry)
            return {
              close: async () => {
                of(topic).delete(entry)
              }
            }
          },
          peers: async (topic) => {
            const owners = new Set([...of(topic)].map(({ owner }) => owner).filter((owner) => owner !== name))
            return [...owners].map((id) => ({ id, addresses: [] }))
          }
        }
      }
    }
  }
  return bus
}

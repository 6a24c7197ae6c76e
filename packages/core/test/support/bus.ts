import {
  type DefinedBackend,
  defineBackend,
  type IncomingMessage,
  type MessageCapabilities,
  type Subscriber
} from '../../src/backend.ts'
import type { P2plError } from '../../src/errors.ts'

type BusSubscriber = Required<Subscriber>

export interface Bus {
  /** Everything that was published, in order. */
  readonly published: Array<{ topic: string; payload: Uint8Array; from: string }>
  /** Decides what happens to a message on its way to one receiver; default: delivered. */
  route: (message: { topic: string; payload: Uint8Array; from: string }, to: string) => 'deliver' | 'drop'
  /** Fails publishes while set. */
  failure: P2plError | undefined
  /** Gives bytes to every subscriber of a topic, as a stranger would. */
  inject: (topic: string, payload: Uint8Array, from?: string) => void
  /** The subscribers of a topic, as the engine has them. */
  subscribers: (topic: string) => readonly BusSubscriber[]
  backend: (name: string, overrides?: Partial<MessageCapabilities>) => DefinedBackend<unknown>
}

/** A message-only engine in this process whose losses a test controls. */
export function createBus(): Bus {
  const subscribers = new Map<string, Set<{ owner: string; subscriber: BusSubscriber }>>()
  const of = (topic: string): Set<{ owner: string; subscriber: BusSubscriber }> => {
    const known = subscribers.get(topic) ?? new Set()
    subscribers.set(topic, known)
    return known
  }
  const hand = (subscriber: BusSubscriber, incoming: IncomingMessage): void => {
    void Promise.resolve(subscriber.message(incoming)).catch(() => undefined)
  }
  const others = (topic: string, name: string): string[] => [
    ...new Set([...of(topic)].map(({ owner }) => owner).filter((owner) => owner !== name))
  ]
  const bus: Bus = {
    published: [],
    route: () => 'deliver',
    failure: undefined,
    inject: (topic, payload, from = 'stranger') => {
      for (const { subscriber } of of(topic)) hand(subscriber, { payload, from })
    },
    subscribers: (topic) => [...of(topic)].map(({ subscriber }) => subscriber),
    backend: (name, overrides = {}) => {
      const capabilities: MessageCapabilities = {
        delivery: 'at-most-once',
        ordering: 'none',
        echo: false,
        maxMessageBytes: 1024 * 1024,
        pacing: 0,
        peers: 'native',
        recipients: 'native',
        gaps: 'native',
        validation: 'none',
        sender: 'claimed',
        ...overrides
      }
      return defineBackend({
        name,
        network: 'bus',
        capabilities: { messages: capabilities },
        open: async () => ({
          self: () => ({ id: name, addresses: [] }),
          close: async () => undefined,
          messages: {
            publish: async (topic, payload) => {
              if (bus.failure !== undefined) throw bus.failure
              const message = { topic, payload: new Uint8Array(payload), from: name }
              bus.published.push(message)
              const receivers = [...of(topic)].filter(({ owner }) => capabilities.echo || owner !== name)
              for (const { owner, subscriber } of receivers) {
                if (bus.route(message, owner) === 'deliver') hand(subscriber, { payload: message.payload, from: name })
              }
              return capabilities.recipients === 'none' ? {} : { recipients: others(topic, name).length }
            },
            join: async (topic, subscriber) => {
              const entry = { owner: name, subscriber }
              of(topic).add(entry)
              return {
                close: async () => {
                  of(topic).delete(entry)
                }
              }
            },
            peers: async (topic) => others(topic, name).map((id) => ({ network: 'bus', id, addresses: [] }))
          }
        })
      })
    }
  }
  return bus
}

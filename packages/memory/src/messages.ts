import type { MessageHooks } from '@p2pl/core/backend'
import { peerInfo } from './address.ts'
import type { Endpoint, MemoryNetwork } from './network.ts'

export function messageHooks(network: MemoryNetwork, { id, topics }: Endpoint): MessageHooks {
  return {
    publish: async (topic, payload) => ({ recipients: network.publish(id, topic, payload) }),

    join: async (topic, subscriber) => {
      topics.set(topic, subscriber)
      return {
        close: async () => {
          topics.delete(topic)
        }
      }
    },

    peers: async (topic) => network.recipients(id, topic).map((other) => peerInfo(network.name, other))
  }
}

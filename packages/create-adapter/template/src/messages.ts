import type { MessageHooks } from '@p2pl/core/backend'
import { peerInfoOf, type Engine } from './engine/engine.ts'

/** One join for each topic: `defineBackend` serves all subscriptions of a topic through it. */
export function messageHooks(engine: Engine, network: string): MessageHooks {
  return {
    publish: async (topic, payload) => ({ recipients: engine.publish(topic, payload).length }),
    join: async (topic, subscriber) => {
      engine.topics.join(topic, subscriber)
      await engine.join(topic)
      return {
        close: async () => {
          engine.topics.leave(topic)
          engine.leave(topic)
        }
      }
    },
    peers: async (topic) =>
      engine
        .links()
        .filter((link) => link.topics.has(topic))
        .map((link) => peerInfoOf(network, link))
  }
}

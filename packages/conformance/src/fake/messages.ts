import type { MessageCapabilities, MessageHooks } from '@p2pl/core/backend'
import { peerInfo } from './peer-info.ts'
import type { FakeEngine, FakeNetwork } from './network.ts'

export function messageHooks(
  network: FakeNetwork,
  engine: FakeEngine,
  declared: MessageCapabilities,
  lose: () => boolean
): MessageHooks {
  const subscribed = (topic: string): FakeEngine[] =>
    network.connected(engine.id).filter(({ topics }) => topics.has(topic))
  return {
    publish: async (topic, payload) => {
      const others = subscribed(topic)
      const message = declared.sender === 'none' ? {} : { from: engine.id }
      for (const receiver of declared.echo ? [...others, engine] : others) {
        const bytes = payload.slice()
        if (!lose()) queueMicrotask(() => void receiver.topics.get(topic)?.message({ ...message, payload: bytes }))
      }
      return declared.recipients === 'none' ? {} : { recipients: others.length }
    },

    join: async (topic, subscriber) => {
      engine.topics.set(topic, subscriber)
      return { close: async () => void engine.topics.delete(topic) }
    },

    peers: async (topic) => subscribed(topic).map(({ id }) => peerInfo(id))
  }
}

import { createPeer, type PeerAddress } from '@p2pl/core'
import { type BackendOptions, openBackend } from './backends.ts'
import type { OpenStack } from './stack.ts'

/** p2pl with its defaults, as an application gets it. */
const p2pl: OpenStack<BackendOptions> = async (options) => {
  const peer = await createPeer({ backend: await openBackend(options) })
  return {
    self: async () => peer.network.self(),
    connect: (to) => peer.network.connect(to as PeerAddress),
    messages: {
      subscribe: async (topic, onMessage) => {
        const subscription = peer.topic(topic).subscribe({ maxQueuedMessages: 1_000_000, maxQueuedBytes: 2 ** 30 })
        await subscription.joined
        void (async () => {
          for await (const item of subscription) if (item.type === 'message') onMessage(item.payload)
        })()
      },
      // A mesh has no more links than it needs.
      ready: (topic, peers) => peer.topic(topic).ready({ peers: Math.min(peers, 3) }),
      publish: (topic, payload) => peer.topic(topic).publish(payload)
    },
    content: {
      add: async (bytes) => String((await peer.data.add(bytes)).cid),
      get: async (cid) => {
        let bytes = 0
        for await (const chunk of peer.data.get(cid)) bytes += chunk.byteLength
        return bytes
      },
      forget: async () => {
        for await (const { cid } of peer.data.pins()) await peer.data.unpin(cid)
        for await (const _ of peer.data.gc());
      }
    }
  }
}

export default p2pl

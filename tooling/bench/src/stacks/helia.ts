import { withBitswap } from '@helia/bitswap'
import { withLibp2pLight } from '@helia/libp2p'
import { unixfs } from '@helia/unixfs'
import { gossipsub } from '@libp2p/gossipsub'
import { identify, identifyPush } from '@libp2p/identify'
import { kadDHT, passthroughMapper } from '@libp2p/kad-dht'
import { noise } from '@libp2p/noise'
import { ping } from '@libp2p/ping'
import { tcp } from '@libp2p/tcp'
import { yamux } from '@libp2p/yamux'
import { multiaddr } from '@multiformats/multiaddr'
import { createHeliaLight } from 'helia'
import { CID } from 'multiformats/cid'
import type { OpenStack } from './stack.ts'

/** Members of gossipsub beyond its interface: a known subscriber does not imply that a stream to it exists. */
interface Mesh {
  getMeshPeers(topic: string): string[]
}

/** The least number of mesh links that gossipsub accepts. */
const contentWith = 4

/** The engine as its own documentation composes it for a closed network, without any code of ours. */
const bare: OpenStack = async () => {
  const helia = withBitswap(
    withLibp2pLight(createHeliaLight(), {
      addresses: { listen: ['/ip4/127.0.0.1/tcp/0'] },
      transports: [tcp()],
      connectionEncrypters: [noise()],
      streamMuxers: [yamux()],
      connectionManager: { inboundConnectionThreshold: 1_000 },
      services: {
        identify: identify(),
        identifyPush: identifyPush(),
        ping: ping(),
        dht: kadDHT({ protocol: '/p2pl-bench/kad/1.0.0', clientMode: false, peerInfoMapper: passthroughMapper }),
        pubsub: gossipsub({
          allowPublishToZeroTopicPeers: true,
          emitSelf: false,
          scoreParams: { IPColocationFactorWeight: 0 }
        })
      }
    })
  )
  await helia.start()
  const { pubsub } = helia.libp2p.services
  const files = unixfs(helia)
  const listeners = new Map<string, (payload: Uint8Array) => void>()
  pubsub.addEventListener('message', ({ detail }) => listeners.get(detail.topic)?.(detail.data))

  return {
    self: async () => helia.libp2p.getMultiaddrs().map(String),
    connect: async (to) => {
      await helia.libp2p.dial((to as string[]).map((address) => multiaddr(address)))
    },
    messages: {
      subscribe: async (topic, onMessage) => {
        listeners.set(topic, onMessage)
        pubsub.subscribe(topic)
      },
      ready: async (topic, peers) => {
        const mesh = pubsub as unknown as Mesh
        while (
          pubsub.getSubscribers(topic).length < peers ||
          mesh.getMeshPeers(topic).length < Math.min(peers, contentWith)
        )
          await new Promise((resolve) => setTimeout(resolve, 20))
      },
      publish: (topic, payload) => pubsub.publish(topic, payload)
    },
    content: {
      add: async (bytes) => String(await files.addBytes(bytes)),
      get: async (cid) => {
        let bytes = 0
        for await (const chunk of files.cat(CID.parse(cid))) bytes += chunk.byteLength
        return bytes
      },
      forget: () => helia.gc()
    }
  }
}

export default bare

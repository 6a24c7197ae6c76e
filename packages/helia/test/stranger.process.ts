// A stranger: Helia, libp2p and gossipsub with their own defaults, and nothing of this project.
import { withBitswap } from '@helia/bitswap'
import { withLibp2pLight } from '@helia/libp2p'
import { unixfs } from '@helia/unixfs'
import { gossipsub, type GossipSub } from '@libp2p/gossipsub'
import { identify } from '@libp2p/identify'
import { kadDHT, passthroughMapper } from '@libp2p/kad-dht'
import { noise } from '@libp2p/noise'
import { ping } from '@libp2p/ping'
import { tcp } from '@libp2p/tcp'
import { yamux } from '@libp2p/yamux'
import { multiaddr } from '@multiformats/multiaddr'
import { createHeliaLight } from 'helia'
import { CID } from 'multiformats/cid'
import { answer } from '@p2pl/tooling-vitest/answer'

const node = withBitswap(
  withLibp2pLight(createHeliaLight(), {
    addresses: { listen: ['/ip4/127.0.0.1/tcp/0'] },
    transports: [tcp()],
    connectionEncrypters: [noise()],
    streamMuxers: [yamux()],
    services: {
      identify: identify(),
      ping: ping(),
      dht: kadDHT({ protocol: '/ipfs/lan/kad/1.0.0', clientMode: false, peerInfoMapper: passthroughMapper }),
      pubsub: gossipsub()
    }
  })
)
const received: string[] = []

answer({
  start: async () => {
    await node.start()
    const pubsub = pubsubOf()
    pubsub.addEventListener('message', ({ detail }) => void received.push(new TextDecoder().decode(detail.data)))
    return { id: node.libp2p.peerId.toString(), addresses: node.libp2p.getMultiaddrs().map(String) }
  },
  dial: async (address: string) => {
    await node.libp2p.dial(multiaddr(address))
  },
  subscribe: (topic: string) => pubsubOf().subscribe(topic),
  publish: async (topic: string, text: string) =>
    (await pubsubOf().publish(topic, new TextEncoder().encode(text))).recipients.length,
  subscribers: (topic: string) => pubsubOf().getSubscribers(topic).length,
  received: () => received,
  get: async (cid: string) => {
    const parts: Uint8Array[] = []
    for await (const part of node.blockstore.get(CID.parse(cid), { signal: AbortSignal.timeout(100_000) }))
      parts.push(part)
    return Buffer.concat(parts)
  },
  add: async (bytes: Uint8Array) => (await unixfs(node).addBytes(bytes)).toString(),
  provide: async (cid: string) => {
    await node.routing.provide(CID.parse(cid), { signal: AbortSignal.timeout(100_000) })
  },
  providers: async (cid: string) => {
    const ids: string[] = []
    for await (const { id } of node.routing.findProviders(CID.parse(cid), { signal: AbortSignal.timeout(100_000) }))
      ids.push(id.toString())
    return ids
  }
})

function pubsubOf(): GossipSub {
  return (node.libp2p.services as unknown as { pubsub: GossipSub }).pubsub
}

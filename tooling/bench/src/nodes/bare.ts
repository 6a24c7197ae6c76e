import { randomBytes } from 'node:crypto'
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
import type { Role } from '../harness/child.ts'
import { getMany } from './many.ts'
import { epoch, Mailbox, timed } from './mailbox.ts'
import type { Node } from './node.ts'

/** The engine as its own documentation composes it for a closed network, with nothing of ours around it. */
const bare: Role<object, Node> = async () => {
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
  const mailboxes = new Map<string, Mailbox>()
  const mailbox = (topic: string): Mailbox => {
    const known = mailboxes.get(topic) ?? new Mailbox()
    mailboxes.set(topic, known)
    return known
  }
  const echoes = new Map<string, string>()
  pubsub.addEventListener('message', ({ detail }) => {
    mailbox(detail.topic).deliver()
    const answers = echoes.get(detail.topic)
    if (answers !== undefined) void pubsub.publish(answers, detail.data)
  })

  return {
    self: async () => [
      { network: 'libp2p', id: helia.libp2p.peerId.toString(), addresses: helia.libp2p.getMultiaddrs().map(String) }
    ],
    connect: async (to) => {
      await helia.libp2p.dial(to.flatMap(({ addresses }) => addresses).map((address) => multiaddr(address)))
    },
    add: async (size) => {
      const bytes = randomBytes(size)
      let cid = ''
      const time = await timed(async () => {
        cid = String(await files.addBytes(bytes))
      })
      return { cid, time }
    },
    get: async (cid) => {
      let bytes = 0
      const time = await timed(async () => {
        for await (const chunk of files.cat(CID.parse(cid))) bytes += chunk.byteLength
      })
      return { bytes, time }
    },
    addMany: async (count, size) => {
      const cids: string[] = []
      for (let i = 0; i < count; i++) cids.push(String(await files.addBytes(randomBytes(size))))
      return cids
    },
    getMany: (cids, parallel) =>
      getMany(cids, parallel, async (cid) => {
        let bytes = 0
        for await (const chunk of files.cat(CID.parse(cid))) bytes += chunk.byteLength
        return bytes
      }),
    forget: () => helia.gc(),
    listen: async (topic) => {
      pubsub.subscribe(topic)
    },
    ready: async (topic) => {
      // A mesh link is made by us: that a subscriber is known does not mean that a stream to it exists.
      const mesh = pubsub as unknown as { getMeshPeers(topic: string): string[] }
      while (mesh.getMeshPeers(topic).length === 0) await new Promise((resolve) => setTimeout(resolve, 20))
    },
    flood: async (topic, count, size) => {
      const payloads = Array.from({ length: count }, () => randomBytes(size))
      const begin = epoch()
      // As many under way as keep the engine busy without filling its queues.
      for (let at = 0; at < count; at += 64)
        await Promise.all(payloads.slice(at, at + 64).map((payload) => pubsub.publish(topic, payload)))
      return begin
    },
    heard: (topic, count) => mailbox(topic).take(count),
    publish: async (topic, count, size) => {
      const payloads = Array.from({ length: count }, () => randomBytes(size))
      return {
        time: await timed(async () => {
          for (const payload of payloads) await pubsub.publish(topic, payload)
        })
      }
    },
    echo: async (topic, answers) => {
      echoes.set(topic, answers)
      pubsub.subscribe(topic)
    },
    pingPong: async (topic, answers, count, size) => ({
      time: await timed(async () => {
        for (let i = 0; i < count; i++) {
          const answer = mailbox(answers).take(1)
          await pubsub.publish(topic, randomBytes(size))
          await answer
        }
      })
    })
  }
}

export default bare

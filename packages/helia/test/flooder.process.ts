// An attacker: libp2p, and frames of gossipsub made by hand.
import { generateKeyPair, publicKeyToProtobuf } from '@libp2p/crypto/keys'
import { RPC } from '@libp2p/gossipsub/message'
import { identify } from '@libp2p/identify'
import type { PrivateKey, Stream } from '@libp2p/interface'
import { noise } from '@libp2p/noise'
import { peerIdFromPrivateKey } from '@libp2p/peer-id'
import { tcp } from '@libp2p/tcp'
import { yamux } from '@libp2p/yamux'
import { multiaddr } from '@multiformats/multiaddr'
import { createLibp2p, type Libp2p } from 'libp2p'
import { answer } from './answer.ts'
import { field, framed } from './wire.ts'

const protocol = '/meshsub/1.1.0'
/** Messages of Bitswap, as many elements as fit into 4 MiB. */
const bitswapFloods: Record<string, (round: number) => Uint8Array> = {
  wants: (round) =>
    field(1, Buffer.concat(Array.from({ length: 80_000 }, (_, i) => field(1, field(1, cidOf(round, i)))))),
  // Revoked (3): yes.
  cancels: (round) => {
    const entry = (i: number): Uint8Array => Buffer.concat([field(1, cidOf(round, i)), Uint8Array.of(0x18, 1)])
    return field(1, Buffer.concat(Array.from({ length: 80_000 }, (_, i) => field(1, entry(i)))))
  },
  blocks: () => {
    const block = field(3, Buffer.concat([field(1, Uint8Array.of(1, 0x55, 0x12, 32)), field(2, new Uint8Array(10))]))
    return Buffer.concat(Array.from({ length: 100_000 }, () => block))
  },
  presences: (round) => Buffer.concat(Array.from({ length: 80_000 }, (_, i) => field(4, field(1, cidOf(round, i))))),
  // Pending bytes (5): none. Two million times.
  fields: () => new Uint8Array(4_000_000).map((_, i) => (i % 2 === 0 ? 0x28 : 0))
}

/** A raw block by sha2-256. */
function cidOf(round: number, index: number): Uint8Array {
  const bytes = new Uint8Array(36)
  bytes.set([1, 0x55, 0x12, 32])
  new DataView(bytes.buffer).setUint32(4, round)
  new DataView(bytes.buffer).setUint32(8, index)
  return bytes
}
const prefix = new TextEncoder().encode('libp2p-pubsub:')

let own: PrivateKey
let node: Libp2p
let stream: Stream | undefined
let sequence = 0n

async function signed(key: PrivateKey, topic: string, data: Uint8Array, forged = false): Promise<RPC.Message> {
  const seqno = new Uint8Array(8)
  new DataView(seqno.buffer).setBigUint64(0, ++sequence)
  const message = { from: peerIdFromPrivateKey(key).toMultihash().bytes, data, seqno, topic }
  const signature = new Uint8Array(await key.sign(Buffer.concat([prefix, RPC.Message.encode(message)])))
  if (forged) signature[0] = (signature[0] ?? 0) ^ 1
  return { ...message, signature, key: publicKeyToProtobuf(key.publicKey) }
}

/** Resolves when the remote has taken it, or has cut the stream. */
async function send(...frames: Uint8Array[]): Promise<void> {
  for (const frame of frames) {
    if (stream?.status !== 'open') return
    try {
      stream.send(framed(frame))
      await stream.onDrain()
    } catch {
      return
    }
  }
}

function noMessages(control?: Partial<RPC.ControlMessage>): RPC {
  const none = { ihave: [], iwant: [], graft: [], prune: [], idontwant: [] }
  return { subscriptions: [], messages: [], ...(control === undefined ? {} : { control: { ...none, ...control } }) }
}

answer({
  start: async () => {
    own = await generateKeyPair('Ed25519')
    node = await createLibp2p({
      privateKey: own,
      addresses: { listen: ['/ip4/127.0.0.1/tcp/0'] },
      transports: [tcp()],
      connectionEncrypters: [noise()],
      streamMuxers: [yamux()],
      services: { identify: identify() }
    })
    // As somebody who takes part; what others say is not listened to.
    await node.handle(protocol, (incoming) => incoming.addEventListener('message', () => {}))
    return { id: node.peerId.toString(), addresses: node.getMultiaddrs().map(String) }
  },
  /** Whether the dial was accepted. */
  dial: async (address: string, topic: string) => {
    try {
      stream = await node.dialProtocol(multiaddr(address), protocol)
      await send(RPC.encode({ subscriptions: [{ subscribe: true, topic }], messages: [] }))
      return true
    } catch {
      return false
    }
  },
  connected: () => node.getConnections().length > 0,
  /** One RPC of many messages with rightful signatures, by this node or by `authors` others. */
  messages: async (topic: string, rpcs: number, each: number, authors = 0, text = 'bad') => {
    const keys = await Promise.all(Array.from({ length: authors }, () => generateKeyPair('Ed25519')))
    for (let i = 0; i < rpcs; i++) {
      const messages: RPC.Message[] = []
      for (let j = 0; j < each; j++)
        messages.push(await signed(keys[j % authors] ?? own, topic, new TextEncoder().encode(`${text} ${i} ${j}`)))
      await send(RPC.encode({ subscriptions: [], messages }))
    }
  },
  forged: async (topic: string, count: number) => {
    for (let i = 0; i < count; i++) {
      const message = await signed(own, topic, new TextEncoder().encode(`forged ${i}`), true)
      await send(RPC.encode({ subscriptions: [], messages: [message] }))
    }
  },
  /** The same message again and again. */
  repeated: async (topic: string, rpcs: number, each: number) => {
    const message = await signed(own, topic, new TextEncoder().encode('again'))
    const frame = RPC.encode({ subscriptions: [], messages: Array.from({ length: each }, () => message) })
    for (let i = 0; i < rpcs; i++) await send(frame)
  },
  garbage: async (count: number, size: number) => {
    for (let i = 0; i < count; i++) await send(new Uint8Array(size).fill(0xff))
  },
  empty: async (count: number) => {
    for (let i = 0; i < count; i += 1_000) {
      if (stream?.status !== 'open') return
      // Each byte is a frame without content.
      stream.send(new Uint8Array(1_000))
      await stream.onDrain().catch(() => {})
    }
  },
  /** As many ids as fit into a frame of a mebibyte. */
  control: async (topic: string, count: number) => {
    const ids = (size: number, many: number): Uint8Array[] => Array.from({ length: many }, () => new Uint8Array(size))
    const ihave = Array.from({ length: 60 }, () => ({ topicID: topic, messageIDs: ids(1, 5_000) }))
    for (let i = 0; i < count; i++) await send(RPC.encode(noMessages({ ihave })))
  },
  subscriptions: async (count: number) => {
    for (let i = 0; i < count; i++)
      await send(
        RPC.encode({
          subscriptions: Array.from({ length: 5_000 }, (_, j) => ({ subscribe: true, topic: `topic ${i} ${j}` })),
          messages: []
        })
      )
  },
  grafts: async (topic: string, count: number) => {
    for (let i = 0; i < count; i++) {
      await send(RPC.encode(noMessages({ prune: [{ topicID: topic, peers: [], backoff: 60 }] })))
      await send(RPC.encode(noMessages({ graft: [{ topicID: topic }] })))
    }
  },
  bitswap: async (address: string, kind: string, count: number) => {
    stream = await node.dialProtocol(multiaddr(address), '/ipfs/bitswap/1.2.0')
    for (let round = 0; round < count; round++) await send(bitswapFloods[kind]?.(round) ?? new Uint8Array())
  },
  oversize: async (count: number, size: number) => {
    for (let i = 0; i < count; i++) await send(new Uint8Array(size))
  }
})

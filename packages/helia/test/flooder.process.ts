// An attacker: libp2p, and frames of gossipsub made by hand.
import { setTimeout as sleep } from 'node:timers/promises'
import { generateKeyPair, publicKeyToProtobuf } from '@libp2p/crypto/keys'
import { RPC } from '@libp2p/gossipsub/message'
import { identify } from '@libp2p/identify'
import type { MessageStream, PrivateKey, Stream } from '@libp2p/interface'
import { noise } from '@libp2p/noise'
import { peerIdFromPrivateKey } from '@libp2p/peer-id'
import { tcp } from '@libp2p/tcp'
import { yamux } from '@libp2p/yamux'
import { multiaddr } from '@multiformats/multiaddr'
import { createLibp2p, type Libp2p } from 'libp2p'
import { answer } from '@p2pl/tooling-vitest/answer'
import { field, framed } from './wire.ts'

const protocol = '/meshsub/1.1.0'
const bulkProtocol = '/p2pl/exchange/1.0.0'
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

/** Frames of the bulk exchange: length of the rest, kind, and what it says. */
const bulkFloods: Record<string, (round: number) => Uint8Array> = {
  wants: (round) =>
    bulkFrame(
      1,
      Buffer.concat(
        Array.from({ length: 1_000 }, (_, i) =>
          Buffer.concat([number(round * 1_000 + i), Uint8Array.of(34), cidOf(round, i).subarray(2)])
        )
      )
    ),
  questions: (round) =>
    bulkFrame(
      2,
      Buffer.concat(
        Array.from({ length: 1_000 }, (_, i) =>
          Buffer.concat([number(round * 1_000 + i), Uint8Array.of(34), cidOf(round, i).subarray(2)])
        )
      )
    ),
  cancels: () => bulkFrame(3, new Uint8Array(128 * 1_024)),
  blocks: (round) => bulkFrame(16, Buffer.concat([number(round), new Uint8Array(2 ** 21)])),
  answers: () => bulkFrame(18, new Uint8Array(400)),
  'empty frames': () => Buffer.concat(Array.from({ length: 20_000 }, () => bulkFrame(99, new Uint8Array()))),
  'unfinished frames': () => bulkFrame(1, new Uint8Array(128 * 1_024)).subarray(0, 100),
  garbage: (round) => new Uint8Array(100_000).map((_, i) => (i * 31 + round * 7) % 251)
}

function bulkFrame(kind: number, body: Uint8Array): Uint8Array {
  return Buffer.concat([number(body.byteLength), Uint8Array.of(kind), body])
}

function number(value: number): Uint8Array {
  const bytes = Buffer.alloc(4)
  bytes.writeUInt32BE(value)
  return bytes
}

/** Messages of the DHT for other peers to store: field 1 is the type, 2 the key, 3 a record, 9 a provider. */
const dhtFloods: Record<string, (index: number) => Uint8Array> = {
  'more records': (index) => addProvider(index, [privateAddress(0)]),
  records: (index) => addProvider(index, [privateAddress(0)]),
  addresses: (index) =>
    addProvider(
      index,
      Array.from({ length: 100 }, (_, i) => privateAddress(100 * index + i))
    ),
  'more addresses': (index) =>
    addProvider(
      index,
      Array.from({ length: 200_000 }, (_, i) => privateAddress(i))
    ),
  values: () => {
    // A public key, and much that is none.
    const id = own.publicKey.toMultihash().bytes
    const key = Buffer.concat([new TextEncoder().encode('/pk/'), id])
    const value = Buffer.concat([publicKeyToProtobuf(own.publicKey), field(15, new Uint8Array(40_000))])
    const record = Buffer.concat([
      field(1, key),
      field(2, value),
      field(5, new TextEncoder().encode(new Date().toISOString()))
    ])
    return Buffer.concat([Uint8Array.of(0x08, 0), field(2, key), field(3, record)])
  }
}

/** Type 5, with a key, so that the answer can be told from others. */
const dhtPing = Buffer.concat([Uint8Array.of(0x08, 5), field(2, new TextEncoder().encode('are you through?'))])

function addProvider(index: number, addresses: Uint8Array[]): Uint8Array {
  const provider = [field(1, own.publicKey.toMultihash().bytes), ...addresses.map((one) => field(2, one))]
  return Buffer.concat([
    Uint8Array.of(0x08, 2),
    field(2, cidOf(0, index).subarray(2)),
    field(9, Buffer.concat(provider))
  ])
}

/** 10.x.y.z, TCP. */
function privateAddress(index: number): Uint8Array {
  return Uint8Array.of(0x04, 10, index >> 16, (index >> 8) & 0xff, index & 0xff, 0x06, 0x10, 0x01)
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

type Chunk = { readonly byteLength: number }

let own: PrivateKey
let node: Libp2p
let stream: Stream | undefined
let sequence = 0n
/** The connections below their streams, and what reads from them. */
const raw: { readonly connection: MessageStream; readonly reader: { onData(data: Chunk): void } }[] = []
/** Bytes of pings. */
const maxUnanswered = 256 * 1024

/** Headers of Yamux: version, type, flags, stream, length. */
const yamuxFloods: Record<string, (stream: number, index: number) => Uint8Array> = {
  pings: (_, index) => yamuxHeader(2, 1, 0, index),
  pieces: (id) => Buffer.concat([yamuxHeader(0, 0, id, 1), Uint8Array.of(0)]),
  'window updates': (id) => yamuxHeader(1, 0, id, 0),
  'new streams': (_, index) => yamuxHeader(1, 1, 1_001 + 2 * index, 0)
}

function yamuxHeader(type: number, flag: number, streamId: number, length: number): Uint8Array {
  const header = new DataView(new ArrayBuffer(12))
  header.setUint8(1, type)
  header.setUint16(2, flag)
  header.setUint32(4, streamId)
  header.setUint32(8, length)
  return new Uint8Array(header.buffer)
}

/** Yamux whose connections are noted. It takes the answers to pings that it has not sent, and answers those of the other side. */
function muxer(): ReturnType<ReturnType<typeof yamux>> {
  const factory = yamux()()
  const create = factory.createStreamMuxer.bind(factory)
  factory.createStreamMuxer = (connection) => {
    const made = Object.assign(create(connection), { handlePingResponse: () => {} })
    raw.push({ connection, reader: made })
    return made
  }
  return factory
}

async function signed(key: PrivateKey, topic: string, data: Uint8Array, forged = false): Promise<RPC.Message> {
  const seqno = new Uint8Array(8)
  new DataView(seqno.buffer).setBigUint64(0, ++sequence)
  const message = { from: peerIdFromPrivateKey(key).toMultihash().bytes, data, seqno, topic }
  const signature = new Uint8Array(await key.sign(Buffer.concat([prefix, RPC.Message.encode(message)])))
  if (forged) signature[0] = (signature[0] ?? 0) ^ 1
  return { ...message, signature, key: publicKeyToProtobuf(key.publicKey) }
}

/**
 * Sends a frame of each round, until the remote has cut the stream: what nobody takes is not made either, since the remote shuts out
 * an attacker for half a minute only.
 */
async function send(count: number, frame: (round: number) => Uint8Array | Promise<Uint8Array>): Promise<void> {
  for (let round = 0; round < count; round++) {
    if (stream?.status !== 'open') return
    try {
      stream.send(framed(await frame(round)))
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
      streamMuxers: [muxer],
      // It would end connections whose other side answers late: on a busy machine, or because of the flood.
      connectionMonitor: { enabled: false },
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
      await send(1, () => RPC.encode({ subscriptions: [{ subscribe: true, topic }], messages: [] }))
      return true
    } catch {
      return false
    }
  },
  connected: () => node.getConnections().length > 0,
  /** One RPC of many messages with rightful signatures, by this node or by `authors` others. */
  messages: async (topic: string, rpcs: number, each: number, authors = 0, text = 'bad') => {
    const keys = await Promise.all(Array.from({ length: authors }, () => generateKeyPair('Ed25519')))
    await send(rpcs, async (i) => {
      const messages: RPC.Message[] = []
      for (let j = 0; j < each; j++)
        messages.push(await signed(keys[j % authors] ?? own, topic, new TextEncoder().encode(`${text} ${i} ${j}`)))
      return RPC.encode({ subscriptions: [], messages })
    })
  },
  forged: async (topic: string, count: number) => {
    await send(count, async (i) => {
      const message = await signed(own, topic, new TextEncoder().encode(`forged ${i}`), true)
      return RPC.encode({ subscriptions: [], messages: [message] })
    })
  },
  /** The same message again and again. */
  repeated: async (topic: string, rpcs: number, each: number) => {
    const message = await signed(own, topic, new TextEncoder().encode('again'))
    const frame = RPC.encode({ subscriptions: [], messages: Array.from({ length: each }, () => message) })
    await send(rpcs, () => frame)
  },
  garbage: async (count: number, size: number) => {
    await send(count, () => new Uint8Array(size).fill(0xff))
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
    await send(count, () => RPC.encode(noMessages({ ihave })))
  },
  /** As many messages without content as fit into a frame of a mebibyte. */
  tiny: async (count: number) => {
    const frame = new Uint8Array(2 ** 20 - 2).map((_, i) => (i % 2 === 0 ? 0x12 : 0))
    await send(count, () => frame)
  },
  subscriptions: async (count: number) => {
    await send(count, (i) =>
      RPC.encode({
        subscriptions: Array.from({ length: 5_000 }, (_, j) => ({ subscribe: true, topic: `topic ${i} ${j}` })),
        messages: []
      })
    )
  },
  /** With `pause`, this long (ms) after the first twenty. */
  grafts: async (topic: string, count: number, pause = 0) => {
    const prune = RPC.encode(noMessages({ prune: [{ topicID: topic, peers: [], backoff: 60 }] }))
    const graft = RPC.encode(noMessages({ graft: [{ topicID: topic }] }))
    await send(2 * count, async (i) => {
      if (i === 40) await sleep(pause)
      return i % 2 === 0 ? prune : graft
    })
  },
  bitswap: async (address: string, kind: string, count: number) => {
    stream = await node.dialProtocol(multiaddr(address), '/ipfs/bitswap/1.2.0')
    await send(count, (round) => bitswapFloods[kind]?.(round) ?? new Uint8Array())
  },
  /** Each round goes on while the victim bears it, and then by a new stream. */
  bulk: async (address: string, kind: string, count: number) => {
    for (let round = 0; round < count; round++) {
      try {
        if (stream?.protocol !== bulkProtocol || stream.status !== 'open') {
          stream = await node.dialProtocol(multiaddr(address), bulkProtocol)
          stream.addEventListener('message', () => {})
        }
        stream.send(new Uint8Array(bulkFloods[kind]?.(round) ?? new Uint8Array()))
        await stream.onDrain()
      } catch {
        // It was cut. As it should be.
      }
    }
  },
  /** Wants blocks by some streams, and reads nothing. */
  deaf: async (address: string, cids: Uint8Array[], streams: number) => {
    const wants = cids.map((cid, i) => Buffer.concat([number(i), Uint8Array.of(34), cid.subarray(2)]))
    for (let i = 0; i < streams; i++) {
      const one = await node.dialProtocol(multiaddr(address), bulkProtocol)
      one.pause()
      one.send(new Uint8Array(bulkFrame(1, Buffer.concat(wants))))
      await one.onDrain()
    }
  },
  /** Until the other side has worked on all of it, or has cut the stream. */
  dht: async (address: string, kind: string, count: number) => {
    stream = await node.dialProtocol(multiaddr(address), '/ipfs/lan/kad/1.0.0')
    const { promise: over, resolve: end } = Promise.withResolvers<void>()
    stream.addEventListener('message', ({ data }) => {
      if (Buffer.from(data.subarray()).includes('are you through?')) end()
    })
    stream.addEventListener('close', () => end())
    let waiting: Uint8Array[] = []
    for (let i = 0; i < count; i++) {
      waiting.push(framed(dhtFloods[kind]?.(i) ?? new Uint8Array()))
      if (i % 100 < 99 && i < count - 1) continue
      if (stream.status !== 'open') return
      stream.send(new Uint8Array(Buffer.concat(waiting)))
      waiting = []
      await stream.onDrain().catch(() => {})
    }
    if (stream.status !== 'open') return
    // Messages are worked on in their order, and this one is answered.
    stream.send(new Uint8Array(framed(dhtPing)))
    await over
  },
  /** Frames of the multiplexer on the last connection. With `deaf`, answers are not read. */
  yamux: async (address: string, protocols: string | string[], kind: string, count: number, deaf = false) => {
    const opened = await node.dialProtocol(multiaddr(address), protocols)
    const last = raw.at(-1)
    if (last === undefined) return
    const { connection, reader } = last
    let unanswered = 0
    let wake = (): void => {}
    const read = reader.onData.bind(reader)
    reader.onData = (data) => {
      unanswered -= data.byteLength
      if (unanswered <= maxUnanswered) wake()
      read(data)
    }
    connection.addEventListener('close', () => wake())
    if (deaf) connection.pause()
    let waiting: Uint8Array[] = []
    for (let i = 0; i < count; i++) {
      waiting.push(yamuxFloods[kind]?.(Number(opened.id), i) ?? new Uint8Array())
      if (i % 5_000 < 4_999 && i < count - 1) continue
      if (connection.status !== 'open') return
      const bytes = new Uint8Array(Buffer.concat(waiting))
      unanswered += bytes.byteLength
      connection.send(bytes)
      waiting = []
      await connection.onDrain().catch(() => {})
      // Each ping has one answer. Without a look at them, a busy machine makes this one a peer that does not read.
      if (kind === 'pings' && !deaf && unanswered > maxUnanswered && connection.status === 'open')
        await new Promise<void>((resolve) => (wake = resolve))
    }
  },
  oversize: async (count: number, size: number) => {
    await send(count, () => new Uint8Array(size))
  }
})

import { generateKeyPair, publicKeyToProtobuf } from '@libp2p/crypto/keys'
import type { Connection } from '@libp2p/interface'
import { peerIdFromPrivateKey } from '@libp2p/peer-id'
import { multiaddr } from '@multiformats/multiaddr'
import { Slots } from '@p2pl/core/backend'
import { seededBytes, until } from '@p2pl/tooling-vitest'
import { afterEach, describe, expect, test, vi } from 'vitest'
import type { Gossip, RpcMessage } from '../src/engine/gossip/engine.ts'
import { newBreather } from '../src/engine/streams/breather.ts'
import { Frames } from '../src/engine/streams/frames.ts'
import { isCrowded } from '../src/engine/gossip/crowded.ts'
import { Judge } from '../src/engine/gossip/judge.ts'
import { receiver } from '../src/engine/gossip/receiver.ts'
import { contentId, gossipOptions, maxRpcBytes, messageId } from '../src/engine/gossip/options.ts'
import { resolveOptions } from '../src/options/settings.ts'
import { engineOf, listen, pair, ready, say, selfOf, started, type Node } from './helper.ts'
import { field } from './wire.ts'

function gossipOf(node: Node): Gossip {
  return engineOf(node).gossip
}

describe('options of gossipsub', () => {
  const judge = new Judge(() => {})

  test('message ids are those of go-libp2p: the peer id as multihash, then the sequence number', async () => {
    const privateKey = await generateKeyPair('Ed25519')
    const from = peerIdFromPrivateKey(privateKey)
    const id = messageId({
      type: 'signed',
      from,
      topic: 't',
      data: new Uint8Array(),
      sequenceNumber: 0x0102030405060708n,
      signature: new Uint8Array(),
      key: privateKey.publicKey
    })
    // An ed25519 peer id is the identity multihash (0x00, length 36) of the protobuf key.
    expect(id).toEqual(Uint8Array.of(0x00, 0x24, ...publicKeyToProtobuf(privateKey.publicKey), 1, 2, 3, 4, 5, 6, 7, 8))
  })

  test('a copy with another signature is not taken for the message itself', () => {
    const { fastMsgIdFn } = gossipOptions(resolveOptions(), judge)
    if (fastMsgIdFn === undefined) throw new Error('no fastMsgIdFn')
    const message = {
      topic: 't',
      from: Uint8Array.of(1),
      seqno: Uint8Array.of(2),
      data: Uint8Array.of(3),
      signature: Uint8Array.of(4)
    }
    expect(fastMsgIdFn({ ...message })).toBe(fastMsgIdFn(message))
    for (const other of [
      { signature: Uint8Array.of(5) },
      { topic: 'u' },
      { data: Uint8Array.of(9) },
      { seqno: Uint8Array.of(9) }
    ])
      expect(fastMsgIdFn({ ...message, ...other })).not.toBe(fastMsgIdFn(message))
  })

  test('bytes that move from one part of a message to the next make another message', () => {
    const { fastMsgIdFn } = gossipOptions(resolveOptions({ signing: 'none' }), judge)
    const [a, b] = [Uint8Array.of(97), Uint8Array.of(98)]
    const ids = [
      { topic: 'ab', data: Uint8Array.of(0, 97) },
      { topic: 'ab\0', data: a },
      { topic: 'b', data: Uint8Array.of(0, 97), from: a },
      { topic: 'b', data: Uint8Array.of(0, 97), seqno: a },
      { topic: 'b', data: Uint8Array.of(0, 97), signature: a },
      { topic: '', data: Uint8Array.of(0, 97), from: a, seqno: b },
      { topic: 'ab', from: Uint8Array.of(0), data: a }
    ].map((message) => fastMsgIdFn?.(message))
    expect(new Set(ids).size).toBe(ids.length)
  })

  test('the id of an unsigned message is that of its bytes on its topic', () => {
    const idOf = (topic: string, data: Uint8Array): string => String(contentId({ type: 'unsigned', topic, data }))
    const data = Uint8Array.of(1, 2, 3)
    expect(idOf('t', Uint8Array.of(1, 2, 3))).toBe(idOf('t', data))
    for (const [topic, other] of [
      ['u', data],
      ['t', Uint8Array.of(1, 2, 4)],
      ['t1', Uint8Array.of(2, 3)]
    ] as const)
      expect(idOf(topic, other)).not.toBe(idOf('t', data))
  })

  test('peers of one address are not marked down, except in public', () => {
    const weight = (profile: 'closed' | 'public'): number | undefined =>
      gossipOptions(resolveOptions({ profile }), judge).scoreParams?.IPColocationFactorWeight
    expect(weight('closed')).toBe(0)
    expect(weight('public')).toBeUndefined()
  })
})

describe('frames', () => {
  /** A frame of `size` bytes, all of the same value. */
  function frame(size: number, value: number): number[] {
    const length = size < 0x80 ? [size] : [(size % 0x80) | 0x80, size >> 7]
    return [...length, ...Array.from({ length: size }, () => value)]
  }

  test.each([1, 2, 7, 1_000])('are found wherever the chunks of %i bytes end', (chunk) => {
    const bytes = Uint8Array.from([...frame(3, 1), ...frame(0, 0), ...frame(200, 2), ...frame(300, 3), ...frame(1, 4)])
    const frames = new Frames(200)
    const found: string[] = []
    for (let at = 0; at < bytes.length; at += chunk) {
      frames.push(bytes.subarray(at, at + chunk))
      for (let next = frames.next(); next !== undefined; next = frames.next()) found.push(`${next.length}×${next[0]}`)
    }
    // The one above the limit is left out, and those behind it are there.
    expect(found).toEqual(['3×1', '0×undefined', '200×2', '1×4'])
    expect([frames.takeSkipped(), frames.takeSkipped(), frames.waiting]).toEqual([1, 0, 0])
  })

  test('with a length that no frame has are an error', () => {
    const frames = new Frames(200)
    frames.push(new Uint8Array(20).fill(0xff))
    expect(() => frames.next()).toThrow(/length/)
  })
})

describe('a frame', () => {
  const many = (count: number, part: Uint8Array): Uint8Array => Buffer.concat(Array.from({ length: count }, () => part))
  const ids = (list: number, count: number): Uint8Array =>
    field(3, field(list, many(count, field(list === 1 ? 2 : 1, Uint8Array.of(1)))))
  test.each([
    ['messages', (count: number) => many(count, field(2, new Uint8Array()))],
    ['subscriptions', (count: number) => many(count, field(1, new Uint8Array()))],
    ['grafts', (count: number) => field(3, many(count, field(3, new Uint8Array())))],
    ['lists of ids', (count: number) => field(3, many(count, field(1, new Uint8Array())))],
    ['ids that a peer has', (count: number) => ids(1, count)],
    ['ids that a peer wants', (count: number) => ids(2, count)],
    ['ids that a peer does not want', (count: number) => ids(5, count)]
  ])('with more %s than any node sends is crowded', (_, frame) => {
    expect([isCrowded(frame(16_000)), isCrowded(frame(20_000))]).toEqual([false, true])
  })

  test('that is none is not', () => {
    expect(isCrowded(new Uint8Array(100_000).fill(0xff))).toBe(false)
  })

  test('that is crowded is not decoded, and counts against its sender', async () => {
    const judge = new Judge(() => {})
    const decodeRpc = vi.fn<Gossip['decodeRpc']>()
    const peer = peerIdFromPrivateKey(await generateKeyPair('Ed25519'))
    const gossip = { decodeRpc } as unknown as Gossip
    const receive = receiver({ gossip, judge, breather: newBreather(), checking: new Slots(1) }, peer)
    for (let i = 0; i < 9; i++) await receive(ids(1, 20_000))
    expect(decodeRpc).not.toHaveBeenCalled()
    expect([judge.score(peer.toString()) < 0, judge.isShutOut(peer.toString())]).toEqual([true, false])
    for (let i = 0; i < 2; i++) await receive(ids(1, 20_000))
    expect(judge.isShutOut(peer.toString())).toBe(true)
  })
})

describe('a judge', () => {
  const court = (): { judge: Judge; sentences: number[]; pass: (ms: number) => void } => {
    let now = 0
    const sentences: number[] = []
    return {
      judge: new Judge(
        (_, ms) => void sentences.push(ms),
        () => now
      ),
      sentences,
      pass: (ms) => (now += ms)
    }
  }

  test('lets off those that offend rarely', () => {
    const { judge, sentences, pass } = court()
    for (let i = 0; i < 10_000; i++) {
      judge.charge('a')
      pass(1_000)
    }
    expect(sentences).toEqual([])
    expect(judge.score('a')).toBe(0)
  })

  test('first takes the place in the mesh, then shuts out, for longer each time', () => {
    const { judge, sentences, pass } = court()
    for (let i = 0; i < 50; i++) judge.charge('a')
    expect(judge.score('a')).toBeLessThan(0)
    expect([judge.isShutOut('a'), judge.isActive]).toEqual([false, false])
    for (let round = 0; round < 3; round++) {
      judge.charge('a', 100)
      expect([judge.isShutOut('a'), judge.isShutOut('b'), judge.isActive]).toEqual([true, false, true])
      pass(sentences.at(-1) ?? 0)
      expect([judge.isShutOut('a'), judge.isActive]).toEqual([false, false])
    }
    expect(sentences).toEqual([30_000, 60_000, 120_000])
    pass(3_600_001)
    judge.charge('a', 100)
    expect(sentences.at(-1)).toBe(30_000)
    judge.pardon('a')
    expect(judge.isShutOut('a')).toBe(false)
  })

  test('remembers a bounded number of peers', () => {
    const { judge } = court()
    judge.charge('first', 50)
    for (let i = 0; i < 5_000; i++) judge.charge(String(i), 50)
    expect([judge.score('first'), judge.score('4999') < 0]).toEqual([0, true])
  })
})

describe('the engine', () => {
  afterEach(() => {
    vi.useRealTimers()
  })

  test('opens streams to all others while one peer does not open its own', async () => {
    const node = await started()
    const still = peerIdFromPrivateKey(await generateKeyPair('Ed25519'))
    const connection = {
      remotePeer: still,
      status: 'open',
      direction: 'inbound',
      remoteAddr: multiaddr('/ip4/127.0.0.1/tcp/1'),
      newStream: () => new Promise<never>(() => {})
    } as unknown as Connection
    gossipOf(node).onPeerConnected(still, connection)
    const other = await started()
    await other.routing.connect(selfOf(node))
    const inbox = await listen(other, 'beside')
    await ready(node, 'beside')
    await say(node, 'beside', 'hello')
    await until('the message', () => inbox.texts.includes('hello'))
  })

  test('answers a peer that asks for much in RPCs that every node reads', async () => {
    // They are kept for some heartbeats.
    const [a, b] = await pair({ gossip: { heartbeatInterval: 10_000 } })
    await listen(b, 'much')
    await ready(a, 'much')
    const gossip = { a: gossipOf(a), b: gossipOf(b) }
    const ids: Uint8Array[] = []
    gossip.b.addEventListener('gossipsub:message', ({ detail }) => void ids.push(messageId(detail.msg)))
    for (let i = 0; i < 10; i++) await a.messages.publish('much', seededBytes(400_000, i))
    await until('all messages', () => ids.length === 10)
    const sizes: number[] = []
    const received: RpcMessage[] = []
    const decodeRpc = gossip.b.decodeRpc.bind(gossip.b)
    gossip.b.decodeRpc = (bytes) => {
      const rpc = decodeRpc(bytes)
      sizes.push(bytes.byteLength)
      received.push(...rpc.messages)
      return rpc
    }
    const iwant = [{ messageIDs: ids }]
    const control = { ihave: [], iwant, graft: [], prune: [], idontwant: [] }
    gossip.b.sendRpc(selfOf(a).id, { subscriptions: [], messages: [], control })
    await until('all of them again', () => received.length === 10)
    expect(Math.max(...sizes)).toBeLessThan(maxRpcBytes)
  })

  test('is not held up by a wall clock that is set back', async () => {
    const [a, b] = await pair({ gossip: { heartbeatInterval: 100 } })
    await listen(a, 'clock')
    const inbox = await listen(b, 'clock')
    const inMesh = (): boolean => gossipOf(a).getMeshPeers('clock').includes(selfOf(b).id)
    // Only a peer that has the other in its mesh tells it that it leaves.
    await until('both meshes', () => inMesh() && gossipOf(b).getMeshPeers('clock').includes(selfOf(a).id))
    await inbox.subscription.close()
    await until('the back-off', () => gossipOf(a).backoff.has('clock'))
    vi.useFakeTimers({ toFake: ['Date'], now: Date.now() - 3_600_000 })
    await listen(b, 'clock')
    // By the clock on the wall it would take an hour.
    await until('the mesh again', inMesh)
  })
})

import type { Connection } from '@libp2p/interface'
import { isP2plError } from '@p2pl/core/backend'
import { seededBytes, until } from '@p2pl/tooling-vitest'
import { settled } from '@p2pl/tooling-vitest/blocks'
import { describe, expect, test, vi } from 'vitest'
import { maxMessageBytes } from '../src/engine/gossip/options.ts'
import {
  disconnectQuietly,
  engineOf,
  listen,
  pair,
  ready,
  same,
  say,
  selfOf,
  started,
  startMany,
  type Node
} from './helper.ts'

/** The connections inside: no door of the port leads to a single stream. */
function gossipConnections(node: Node): readonly Connection[] {
  const engine = engineOf(node)
  return engine.libp2p.getConnections()
}

describe('messages', () => {
  test('a publish with a peer in the topic has a recipient and arrives, from the first on', async () => {
    // The race is in the first milliseconds after the subscription: fresh pairs, no pause.
    for (let round = 0; round < 6; round++) {
      const [a, b] = await pair()
      const inbox = await listen(b, 'race')
      await ready(a, 'race')
      expect(await say(a, 'race', 'first')).toBeGreaterThan(0)
      await until('the message', () => inbox.texts.includes('first'))
      await Promise.all([a.stop(), b.stop()])
    }
  })

  test('nobody there: no recipient, and a retry of the same bytes is not taken for a duplicate', async () => {
    for (const signing of ['strict', 'none'] as const) {
      const [a, b] = await pair({ signing })
      expect(await say(a, 'late', 'hello')).toBe(0)
      const inbox = await listen(b, 'late')
      await ready(a, 'late')
      expect(await say(a, 'late', 'hello')).toBe(1)
      await until('the message', () => inbox.texts.length === 1)
      const { id } = selfOf(a)
      expect(inbox.messages[0]).toMatchObject(signing === 'strict' ? { from: id } : { via: id })
      expect(inbox.messages[0]?.from).toBe(signing === 'strict' ? id : undefined)
    }
  })

  test('without signatures, a message on one topic hides no equal one on another', async () => {
    const [a, b] = await pair({ signing: 'none' })
    const inboxes = [await listen(b, 'one'), await listen(b, 'two')]
    for (const topic of ['one', 'two']) {
      await ready(a, topic)
      await say(a, topic, 'same')
    }
    await until('both', () => inboxes.every(({ texts }) => texts.includes('same')))
  })

  test('equal payloads are delivered each time, and never to the publisher', async () => {
    const [a, b] = await pair()
    const own = await listen(a, 'twice')
    const inbox = await listen(b, 'twice')
    await ready(a, 'twice')
    await say(a, 'twice', 'same')
    await say(a, 'twice', 'same')
    await until('both', () => inbox.texts.length === 2)
    expect(own.texts).toEqual([])
  })

  test('a payload of the largest size arrives, a larger one is refused, and the link outlives both', async () => {
    const [a, b] = await pair()
    const inbox = await listen(b, 'big')
    await ready(a, 'big')
    const largest = seededBytes(maxMessageBytes, 7)
    await a.messages.publish('big', largest)
    await expect(a.messages.publish('big', new Uint8Array(maxMessageBytes + 1))).rejects.toSatisfy((error) =>
      isP2plError(error, 'TOO_LARGE')
    )
    await say(a, 'big', 'after')
    await until('both', () => inbox.messages.length === 2)
    expect(same(inbox.messages[0]?.payload ?? new Uint8Array(), largest)).toBe(true)
  })

  test('the payload may be changed after the publish', async () => {
    const [a, b] = await pair()
    const inbox = await listen(b, 'reuse')
    await ready(a, 'reuse')
    // The slice() of a Buffer is no copy.
    const payload = Buffer.from('before')
    const published = a.messages.publish('reuse', payload)
    payload.fill(0x78)
    await published
    await until('the message', () => inbox.texts.length === 1)
    expect(inbox.texts).toEqual(['before'])
    expect(inbox.messages[0]?.payload.constructor).toBe(Uint8Array)
  })

  test('topics with the names of members of Object.prototype are topics like others', async () => {
    const [a, b] = await pair()
    for (const topic of ['__proto__', 'constructor', 'toString']) {
      const inbox = await listen(b, topic)
      await listen(a, topic)
      await ready(a, topic)
      await say(a, topic, topic)
      await until('the message', () => inbox.texts.includes(topic))
      // Not subscribed any more: what comes now is scored all the same.
      await inbox.subscription.close()
      await say(a, topic, 'once more')
    }
    // Nothing of the engine may be in the prototype of everything.
    const found: string[] = []
    for (const key in {}) found.push(key)
    expect(found).toEqual([])
    expect(Object.keys(Object)).toEqual([])
  })

  test('a message that a subscriber refuses is not passed on', async () => {
    // A line: what reaches the third has passed the second.
    const [first, second, third] = await startMany(3)
    if (first === undefined || second === undefined || third === undefined) throw new Error('three nodes')
    await second.routing.connect(selfOf(first))
    await third.routing.connect(selfOf(second))
    const passed = await listen(second, 'valid', async (text) => {
      if (text === 'throw') throw new Error('a broken subscriber')
      return text === 'bad' ? 'reject' : text === 'odd' ? 'ignore' : 'accept'
    })
    const inbox = await listen(third, 'valid')
    await ready(first, 'valid')
    await ready(second, 'valid')
    for (const text of ['bad', 'odd', 'throw']) await say(first, 'valid', text)
    // Again and again: the second may have heard it before it had the third in its mesh.
    await until('the good one', async () => {
      await say(first, 'valid', 'good')
      return inbox.texts.includes('good')
    })
    expect(new Set(inbox.texts)).toEqual(new Set(['good']))
    expect(new Set(passed.texts)).toEqual(new Set(['good']))
  })

  test('a peer that leaves a topic may come back at once', async () => {
    const [a, b] = await pair()
    const first = await listen(b, 'left')
    await ready(a, 'left')
    await first.subscription.close()
    await until('nobody in the topic', async () => (await a.messages.peers('left')).length === 0)
    // It is not kept out for the engine's ten seconds.
    const again = await listen(b, 'left')
    await ready(a, 'left')
    await say(a, 'left', 'again')
    await until('again', () => again.texts.length === 1)
  })

  test('every peer of a hub on one address gets every message', async () => {
    // A star: without the DHT the spokes do not come to know each other.
    const hub = await started({ dht: false })
    const inboxes = [await listen(hub, 'hub')]
    const spokes = await startMany(14, { dht: false })
    // All at the same time: the engine's defaults refuse the sixth.
    await Promise.all(spokes.map((spoke) => spoke.routing.connect(selfOf(hub))))
    for (const spoke of spokes) inboxes.push(await listen(spoke, 'hub'))
    await ready(hub, 'hub', 14)
    await Promise.all(spokes.map((spoke) => ready(spoke, 'hub')))
    // A stream is there before the mesh is: what a third one sends meanwhile is lost to the newcomer.
    await until('the mesh', () => {
      const meshes = [hub, ...spokes].map((node) => engineOf(node).gossip.getMeshPeers('hub').length)
      return meshes.every((size, i) => size === (i === 0 ? 14 : 1))
    })
    const received = (i: number, from: string): number => inboxes[i]?.texts.filter((text) => text === from).length ?? 0
    const peers = [hub, ...spokes]
    // One waits for the other, so that bursts are no part of this.
    for (const [i, peer] of peers.entries()) await say(peer, 'hub', `from ${i}`)
    await until('all messages everywhere', () =>
      peers.every((_, i) => peers.every((__, from) => i === from || received(i, `from ${from}`) > 0))
    )
    for (const [i] of peers.entries())
      for (const [from] of peers.entries()) expect(received(i, `from ${from}`)).toBe(i === from ? 0 : 1)
  })

  test('a publisher that never subscribed reaches everybody that it is connected to', async () => {
    const publisher = await started()
    const listeners = await startMany(6)
    const inboxes = await Promise.all(listeners.map((node) => listen(node, 'fanout')))
    await Promise.all(listeners.map((node) => node.routing.connect(selfOf(publisher))))
    await ready(publisher, 'fanout', 6)
    expect(await say(publisher, 'fanout', 'all')).toBe(6)
    await until('all', () => inboxes.every(({ texts }) => texts.length === 1))
  })

  test('a stream that was reset on a healthy connection is opened again', async () => {
    const [a, b] = await pair({ gossip: { heartbeatInterval: 100 } })
    const inbox = await listen(b, 'reset')
    await ready(a, 'reset')
    for (const connection of gossipConnections(a))
      for (const stream of connection.streams.filter(({ protocol }) => protocol.startsWith('/meshsub/')))
        stream.abort(new Error('reset by the test'))
    await until('the loss', async () => (await a.messages.peers('reset')).length === 0)
    await ready(a, 'reset')
    expect(await a.routing.connections()).toHaveLength(1)
    await until('a message', async () => {
      await say(a, 'reset', 'again')
      return inbox.texts.includes('again')
    })
  })

  test('the loss of the last peer of a topic is a gap once it is back, before its messages', async () => {
    // Without the DHT, whose searches dial whom they ask: the topic would not stay empty.
    const [a, b] = await pair({ dht: false })
    const order = await followed(b, 'gap')
    await listen(a, 'gap')
    await ready(a, 'gap')
    await ready(b, 'gap')
    await say(a, 'gap', 'before')
    await until('the first', () => order.length === 1)
    await b.routing.disconnect(selfOf(a).id)
    await until('the topic is empty', async () => (await a.messages.peers('gap')).length === 0)
    await b.routing.connect(selfOf(a))
    await ready(a, 'gap')
    await say(a, 'gap', 'after')
    await until('the second', () => order.includes('after'))
    expect(order).toEqual(['before', 'healing', 'disconnected', 'live', 'after'])
  })

  test('two peers that dial each other at once lose nothing, and are told of no gap', async () => {
    const [a, b] = [await started({ dht: false }), await started({ dht: false })]
    const orders = [await followed(a, 'twice'), await followed(b, 'twice')]
    await Promise.all([a.routing.connect(selfOf(b)), b.routing.connect(selfOf(a))])
    await ready(a, 'twice')
    await ready(b, 'twice')
    await say(a, 'twice', 'from a')
    await say(b, 'twice', 'from b')
    await until('both', () => orders.every(({ length }) => length > 0))
    expect(orders).toEqual([['from b'], ['from a']])
  })

  test('a peer that moves to its newest connection loses nothing, however late its new stream is taken', async () => {
    const [a, b] = await pair({ dht: false })
    const order = await followed(b, 'moves')
    await listen(a, 'moves')
    await ready(a, 'moves')
    await ready(b, 'moves')
    const [first] = gossipConnections(b)
    const address = engineOf(b).libp2p.getMultiaddrs()[0]
    if (first === undefined || address === undefined) throw new Error('a connection')
    const noted = holdMeshNotes(b)
    // The published type does not have it.
    const forced: object = { force: true }
    const second = await engineOf(a).libp2p.dial(address, forced)
    const other = await until('the second connection', () => gossipConnections(b).find((one) => one !== first))
    expect(second.status).toBe('open')
    // It comes by the second one, where the other side answers it.
    void other.newStream('/meshsub/1.1.0').catch(() => {})
    const incoming = ({ streams }: Connection): number =>
      streams.filter(
        ({ direction, protocol, remoteWriteStatus }) =>
          direction === 'inbound' && protocol.startsWith('/meshsub/') && remoteWriteStatus === 'writable'
      ).length
    await until('the new stream', () => incoming(other) > 0)
    await until('the end of the old one', () => incoming(first) === 0)
    noted.release()
    await say(a, 'moves', 'after')
    await until('the message', () => order.includes('after'))
    expect(order).toEqual(['after'])
  })

  test('streams that open late on a lost connection do not take the place of the next ones', async () => {
    const [a, b] = [await started({ dht: false }), await started({ dht: false })]
    const [inbox] = [await listen(a, 'late'), await listen(b, 'late')]
    const noted = holdMeshNotes(b)
    await b.routing.connect(selfOf(a))
    await until('streams in both directions', () => noted.held() === 2)
    await b.routing.disconnect(selfOf(a).id)
    noted.passOthers()
    await b.routing.connect(selfOf(a))
    await ready(a, 'late')
    await ready(b, 'late')
    const before = inbox.gaps.length
    const { streamsInbound } = engineOf(b).gossip
    const incoming = await until('the stream from the peer', () => streamsInbound.get(selfOf(a).id))
    noted.release()
    await settled()
    expect(streamsInbound.get(selfOf(a).id)).toBe(incoming)
    expect(await say(b, 'late', 'after')).toBe(1)
    await until('the message', () => inbox.texts.includes('after'))
    expect(inbox.gaps).toHaveLength(before)
  })

  test('what is told late of the lost connection does not break the next one', async () => {
    // Without the DHT, which would dial by itself, and look the peer up for that.
    const [a, b] = await pair({ dht: false })
    const order = await followed(b, 'gap')
    await listen(a, 'gap')
    await ready(a, 'gap')
    await ready(b, 'gap')
    const tell = await disconnectQuietly(b, a)
    await until('the topic is empty', async () => (await a.messages.peers('gap')).length === 0)
    await b.routing.connect(selfOf(a))
    await ready(a, 'gap')
    await ready(b, 'gap')
    await say(a, 'gap', 'before')
    await until('the first', () => order.includes('before'))
    await tell()
    await say(a, 'gap', 'after')
    await until('the second', () => order.includes('after'))
    expect(order).toEqual(['healing', 'disconnected', 'live', 'before', 'after'])
  })
})

/** The engine notes what a peer speaks before it hands over a stream, and a disk may be slow: here it waits for `release`. */
function holdMeshNotes(node: Node): { held: () => number; passOthers: () => void; release: () => void } {
  const { peerStore } = engineOf(node).libp2p
  const noted = Promise.withResolvers<void>()
  const merge = peerStore.merge.bind(peerStore)
  let held = 0
  const spy = vi.spyOn(peerStore, 'merge').mockImplementation(async (id, data, options) => {
    if (data.protocols?.some((protocol) => protocol.startsWith('/meshsub/')) === true) {
      held++
      await noted.promise
    }
    return await merge(id, data, options)
  })
  return { held: () => held, passOthers: () => spy.mockRestore(), release: () => noted.resolve() }
}

/** Texts, gaps and states of a topic, as they come. */
async function followed(node: Node, topic: string): Promise<string[]> {
  const order: string[] = []
  await node.messages.subscribe(topic, {
    message: ({ payload }) => {
      order.push(new TextDecoder().decode(payload))
      return 'accept'
    },
    gap: ({ reason }) => void order.push(reason),
    state: (state) => void order.push(state)
  })
  return order
}

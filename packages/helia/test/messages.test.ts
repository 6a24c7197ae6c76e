import type { Connection } from '@libp2p/interface'
import { isP2plError } from '@p2pl/core/backend'
import { seededBytes, until } from '@p2pl/tooling-vitest'
import { describe, expect, test } from 'vitest'
import { maxMessageBytes } from '../src/gossip/options.ts'
import { listen, pair, ready, same, say, started, startMany, type Node } from './helper.ts'

/** The connections inside: no door of the port leads to a single stream. */
function gossipConnections(node: Node): readonly Connection[] {
  const engine = node.messages.door.enter('test')
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
      expect(inbox.messages[0]?.from).toBe(signing === 'strict' ? a.self().id : undefined)
    }
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

  test('a subscriber that throws harms nobody', async () => {
    const [a, b] = await pair()
    await b.messages.subscribe('throw', {
      message: () => {
        throw new Error('a broken subscriber')
      },
      gap: () => {}
    })
    const inbox = await listen(b, 'throw')
    await ready(a, 'throw')
    await say(a, 'throw', 'one')
    await say(a, 'throw', 'two')
    await until('both', () => inbox.texts.length === 2)
  })

  test('what a validator refuses is neither delivered nor passed on', async () => {
    // A line: what reaches the third has passed the second.
    const [first, second, third] = await startMany(3)
    if (first === undefined || second === undefined || third === undefined) throw new Error('three nodes')
    await second.routing.connect(first.self())
    await third.routing.connect(second.self())
    const passed: string[] = []
    await second.messages.subscribe('valid', {
      message: ({ payload }) => void passed.push(new TextDecoder().decode(payload)),
      gap: () => {},
      validate: async ({ payload }) => {
        const text = new TextDecoder().decode(payload)
        if (text === 'throw') throw new Error('a broken validator')
        return text === 'bad' ? 'reject' : text === 'odd' ? 'ignore' : 'accept'
      }
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
    expect(new Set(passed)).toEqual(new Set(['good']))
  })

  test('subscriptions of one topic are independent, and closing the last leaves it', async () => {
    const [a, b] = await pair()
    const one = await listen(b, 'shared')
    const two = await listen(b, 'shared')
    await ready(a, 'shared')
    await say(a, 'shared', 'both')
    await until('both', () => one.texts.length === 1 && two.texts.length === 1)
    await one.subscription.close()
    await say(a, 'shared', 'second only')
    await until('the second', () => two.texts.length === 2)
    expect(one.texts).toEqual(['both'])
    await two.subscription.close()
    await until('nobody in the topic', async () => (await a.messages.peers('shared')).length === 0)
    // Back at once: a leaver is not kept out for the engine's ten seconds.
    const again = await listen(b, 'shared')
    await ready(a, 'shared')
    await say(a, 'shared', 'again')
    await until('again', () => again.texts.length === 1)
  })

  test('every participant of a hub on one address gets every message', async () => {
    // A star: without the DHT the spokes do not come to know each other.
    const hub = await started({ dht: false })
    const inboxes = [await listen(hub, 'hub')]
    const spokes = await startMany(14, { dht: false })
    // All at the same time: the engine's defaults refuse the sixth.
    await Promise.all(spokes.map((spoke) => spoke.routing.connect(hub.self())))
    for (const spoke of spokes) inboxes.push(await listen(spoke, 'hub'))
    await ready(hub, 'hub', 14)
    await Promise.all(spokes.map((spoke) => ready(spoke, 'hub')))
    // A stream is there before the mesh is: what a third one sends meanwhile is lost to the newcomer.
    await until('the mesh', () => {
      const meshes = [hub, ...spokes].map((node) => node.messages.door.enter('test').gossip.getMeshPeers('hub').length)
      return meshes.every((size, i) => size === (i === 0 ? 14 : 1))
    })
    const received = (i: number, from: string): number => inboxes[i]?.texts.filter((text) => text === from).length ?? 0
    const participants = [hub, ...spokes]
    // One waits for the other, so that bursts are no part of this.
    for (const [i, participant] of participants.entries()) await say(participant, 'hub', `from ${i}`)
    await until('all messages everywhere', () =>
      participants.every((_, i) => participants.every((__, from) => i === from || received(i, `from ${from}`) > 0))
    )
    for (const [i] of participants.entries())
      for (const [from] of participants.entries()) expect(received(i, `from ${from}`)).toBe(i === from ? 0 : 1)
  })

  test('a publisher that never subscribed reaches everybody that it is connected to', async () => {
    const publisher = await started()
    const listeners = await startMany(6)
    const inboxes = await Promise.all(listeners.map((node) => listen(node, 'fanout')))
    await Promise.all(listeners.map((node) => node.routing.connect(publisher.self())))
    await ready(publisher, 'fanout', 6)
    expect(await say(publisher, 'fanout', 'all')).toBe(6)
    await until('all', () => inboxes.every(({ texts }) => texts.length === 1))
  })

  test('a stream that was reset on a healthy connection is opened again', async () => {
    const [a, b] = await pair({ gossip: { heartbeatInterval: 100 } })
    const inbox = await listen(b, 'reset')
    await ready(a, 'reset')
    for (const connection of gossipConnections(a))
      for (const stream of connection.streams)
        if (stream.protocol.startsWith('/meshsub/')) stream.abort(new Error('reset by the test'))
    await until('the loss', async () => (await a.messages.peers('reset')).length === 0)
    await ready(a, 'reset')
    expect(await a.routing.connections()).toHaveLength(1)
    await until('a message', async () => {
      await say(a, 'reset', 'again')
      return inbox.texts.includes('again')
    })
  })

  test('the loss of the last peer of a topic is a gap once it is back, before its messages', async () => {
    const [a, b] = await pair()
    const order: string[] = []
    await b.messages.subscribe('gap', {
      message: ({ payload }) => void order.push(new TextDecoder().decode(payload)),
      gap: ({ reason }) => void order.push(reason)
    })
    await listen(a, 'gap')
    await ready(a, 'gap')
    await ready(b, 'gap')
    await say(a, 'gap', 'before')
    await until('the first', () => order.length === 1)
    await b.routing.disconnect(a.self().id)
    await until('the topic is empty', async () => (await a.messages.peers('gap')).length === 0)
    await b.routing.connect(a.self())
    await ready(a, 'gap')
    await say(a, 'gap', 'after')
    await until('the second', () => order.includes('after'))
    expect(order).toEqual(['before', 'disconnected', 'after'])
  })

  test.each(['', 'x'.repeat(1_025), 'ü'.repeat(513)])('a topic has 1 to 1,024 bytes', async (topic) => {
    const node = await started()
    await expect(node.messages.publish(topic, new Uint8Array())).rejects.toSatisfy((error) =>
      isP2plError(error, 'INVALID_ARGUMENT')
    )
  })
})

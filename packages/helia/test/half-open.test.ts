import type { PeerInfo } from '@p2pl/core/backend'
import { halfOpenProxy, until, type HalfOpenProxy, type Told } from '@p2pl/tooling-vitest'
import { describe, expect, test } from 'vitest'
import type { Gossip } from '../src/engine/gossip/engine.ts'
import { spawnScript } from './process.ts'
import { listen, ready, say, selfOf, started, startMany, type Inbox, type Node } from './helper.ts'

interface Link {
  readonly dialler: Node
  /** How the dialler reaches the listener: through the proxy. */
  readonly way: PeerInfo
  readonly listener: Node
  readonly proxy: HalfOpenProxy
  readonly inboxes: { readonly dialler: Inbox; readonly listener: Inbox }
}

function portOf(addresses: readonly string[]): number {
  return Number(/\/tcp\/(\d+)/.exec(addresses[0] ?? '')?.[1])
}

/** Two nodes that talk through a proxy and have heard each other in the topic. */
async function linked(topic: string): Promise<Link> {
  // Without the DHT, which would make direct connections.
  const [dialler, listener] = await startMany(2, { dht: false })
  if (dialler === undefined || listener === undefined) throw new Error('two nodes')
  const self = selfOf(listener)
  const proxy = await halfOpenProxy(portOf(self.addresses))
  const way = { ...self, addresses: [`/ip4/127.0.0.1/tcp/${proxy.port}`] }
  const inboxes = { dialler: await listen(dialler, topic), listener: await listen(listener, topic) }
  await dialler.routing.connect(way)
  await ready(dialler, topic)
  await ready(listener, topic)
  const link = { dialler, way, listener, proxy, inboxes }
  await talk(link, topic, 'before')
  return link
}

/** Says the text from both sides until the other side has it. The dialler connects again when it knows that it has to, as core does. */
async function talk({ dialler, way, listener, inboxes }: Link, topic: string, text: string): Promise<void> {
  await until(`"${text}" in both directions`, async () => {
    await dialler.routing.connect(way).catch(() => {})
    if (!inboxes.listener.texts.includes(text)) await say(dialler, topic, text)
    if (!inboxes.dialler.texts.includes(text)) await say(listener, topic, text)
    return inboxes.listener.texts.includes(text) && inboxes.dialler.texts.includes(text)
  })
}

describe('a connection that goes half-open', () => {
  test.each<Told>(['nobody', 'dialler', 'listener'])(
    'and %s is told: the topic is two-way again, and both sides report a gap',
    async (told) => {
      const link = await linked('half-open')
      link.proxy.swallow(told)
      await talk(link, 'half-open', 'after')
      for (const { disconnected } of Object.values(link.inboxes)) expect(disconnected()).toBeGreaterThan(0)
    }
  )

  test('loses none of what was said meanwhile: the peer is told of it when it is back', async () => {
    const link = await linked('meanwhile')
    link.proxy.swallow('dialler')
    await until('the dialler knows', async () => (await link.dialler.routing.connections()).length === 0)
    const lost = Array.from({ length: 20 }, (_, i) => `meanwhile ${i}`)
    for (const text of lost) expect(await say(link.listener, 'meanwhile', text)).toBe(1)
    await talk(link, 'meanwhile', 'after')
    const found = (): string[] => link.inboxes.dialler.texts.filter((text) => text.startsWith('meanwhile'))
    await until('all of it', () => found().length >= lost.length)
    expect(found().toSorted()).toEqual(lost.toSorted())
  })

  test('or whose stream ends in good order and is opened again: a gap stands before what comes next', async () => {
    const link = await linked('ended')
    const { disconnected, texts } = link.inboxes.listener
    const before = disconnected()
    const services = link.dialler.engine?.libp2p.services as { gossip?: Gossip } | undefined
    const streams = services?.gossip?.streamsOutbound
    const { id } = selfOf(link.listener)
    const stream = streams?.get(id)
    expect(streams?.delete(id)).toBe(true)
    await stream?.close()
    await until('the next message', async () => {
      await say(link.dialler, 'ended', 'next')
      return texts.includes('next')
    })
    expect(disconnected()).toBe(before + 1)
    expect(await link.dialler.routing.connections()).toHaveLength(1)
  })

  test('ten times, as of a peer that roams: the topic is two-way each time', async () => {
    const link = await linked('roaming')
    for (let round = 0; round < 10; round++) {
      link.proxy.swallow('dialler')
      await talk(link, 'roaming', `round ${round}`)
    }
  })

  test.each(['node', 'stranger'] as const)('to libp2p without this package, dialled by the %s', async (dials) => {
    const topic = 'strange'
    const node = await started({ dht: false })
    const stranger = spawnScript('stranger.process.ts')
    const self = await stranger.ask<Omit<PeerInfo, 'network'>>('start')
    await stranger.ask('subscribe', topic)
    const inbox = await listen(node, topic)
    const target = dials === 'node' ? self : selfOf(node)
    const proxy = await halfOpenProxy(portOf(target.addresses))
    const address = `/ip4/127.0.0.1/tcp/${proxy.port}/p2p/${target.id}`
    const way = { network: 'libp2p', id: self.id, addresses: [address] }
    if (dials === 'node') await node.routing.connect(way)
    else await stranger.ask('dial', address)
    const exchange = async (text: string): Promise<void> => {
      await until(`"${text}" in both directions`, async () => {
        if (dials === 'node') await node.routing.connect(way).catch(() => {})
        await say(node, topic, text)
        await stranger.ask('publish', topic, text).catch(() => {})
        return inbox.texts.includes(text) && (await stranger.ask<string[]>('received')).includes(text)
      })
    }
    await exchange('before')
    proxy.swallow('dialler')
    if (dials === 'stranger')
      await until('the stranger is back', () => stranger.ask('dial', address).then(() => proxy.forwarding > 0))
    await exchange('after')
    expect(inbox.disconnected()).toBeGreaterThan(0)
  })
})

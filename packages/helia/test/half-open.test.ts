import { halfOpenProxy, until, type HalfOpenProxy, type Told } from '@p2pl/tooling-vitest'
import { describe, expect, test } from 'vitest'
import { spawnScript } from './process.ts'
import { listen, ready, say, started, startMany, type Inbox, type Node } from './helper.ts'

interface Link {
  /** Keeps a connection through the proxy. */
  readonly dialler: Node
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
  const { id, addresses } = listener.self()
  const proxy = await halfOpenProxy(portOf(addresses))
  const inboxes = { dialler: await listen(dialler, topic), listener: await listen(listener, topic) }
  await dialler.routing.connect({ id, addresses: [`/ip4/127.0.0.1/tcp/${proxy.port}`] })
  await ready(dialler, topic)
  await ready(listener, topic)
  await talk({ dialler, listener, proxy, inboxes }, topic, 'before')
  return { dialler, listener, proxy, inboxes }
}

/** Says the text from both sides until the other side has it. */
async function talk({ dialler, listener, inboxes }: Link, topic: string, text: string): Promise<void> {
  await until(`"${text}" in both directions`, async () => {
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
      for (const { gaps } of Object.values(link.inboxes)) expect(gaps).toContainEqual({ reason: 'disconnected' })
    }
  )

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
    const stranger = await spawnScript('stranger.process.ts')
    const self = await stranger.ask<{ id: string; addresses: string[] }>('start')
    await stranger.ask('subscribe', topic)
    const inbox = await listen(node, topic)
    const target = dials === 'node' ? self : node.self()
    const proxy = await halfOpenProxy(portOf(target.addresses))
    const address = `/ip4/127.0.0.1/tcp/${proxy.port}/p2p/${target.id}`
    if (dials === 'node') await node.routing.connect({ id: self.id, addresses: [address] })
    else await stranger.ask('dial', address)
    const exchange = async (text: string): Promise<void> => {
      await until(`"${text}" in both directions`, async () => {
        await say(node, topic, text)
        await stranger.ask('publish', topic, text).catch(() => {})
        return inbox.texts.includes(text) && (await stranger.ask<string[]>('received')).includes(text)
      })
    }
    await exchange('before')
    proxy.swallow('dialler')
    // Only the node makes its connections again by itself.
    if (dials === 'stranger')
      await until('the stranger is back', () => stranger.ask('dial', address).then(() => proxy.forwarding > 0))
    await exchange('after')
    expect(inbox.gaps).toContainEqual({ reason: 'disconnected' })
  })
})

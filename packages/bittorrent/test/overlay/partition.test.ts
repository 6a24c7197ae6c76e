import { freePort, until } from '@p2pl/tooling-vitest'
import { afterEach, expect, it } from 'vitest'
import { bittorrent, type BittorrentBackend } from '../../src/index.ts'
import { SwallowingProxy } from '../proxy.ts'
import { ascii } from '../strangers.ts'
import { hears, selfOf } from '../support.ts'

const topic = 'partition'
const running: BittorrentBackend[] = []
const proxies: SwallowingProxy[] = []

afterEach(async () => {
  for (const proxy of proxies.splice(0)) proxy.close()
  await Promise.all(running.splice(0).map(async (backend) => await backend.stop()))
})

class Side {
  readonly heard: string[] = []
  readonly port: number
  readonly #backend: BittorrentBackend

  private constructor(backend: BittorrentBackend, port: number) {
    this.#backend = backend
    this.port = port
  }

  static async start(): Promise<Side> {
    const port = await freePort()
    // The others hear of an address where nobody is, and two links are enough for each: only the test connects them.
    const backend = bittorrent({ dht: false, degree: 2, port, announce: ['127.0.0.1:1'] })
    running.push(backend)
    await backend.start()
    const side = new Side(backend, port)
    await backend.messages.subscribe(
      topic,
      hears((text) => void side.heard.push(text))
    )
    return side
  }

  async connect(other: Side, port = other.port): Promise<void> {
    await this.#backend.routing.connect({ ...selfOf(other.#backend), addresses: [`127.0.0.1:${port}`] })
  }

  async links(): Promise<number> {
    return (await this.#backend.routing.connections())?.length ?? 0
  }

  async mates(): Promise<number> {
    return (await this.#backend.messages.peers(topic))?.length ?? 0
  }

  async say(text: string): Promise<void> {
    await this.#backend.messages.publish(topic, ascii(text))
  }
}

it('messages cross a partition of three peers after it has healed, each once, and the one that was alone has a gap', async () => {
  const [a, b, c] = [await Side.start(), await Side.start(), await Side.start()]
  await b.connect(a)
  for (const side of [a, b]) {
    const proxy = await SwallowingProxy.to(side.port)
    proxies.push(proxy)
    await c.connect(side, Number(proxy.address.split(':')[1]))
    await until('they are in one topic', async () => (await c.mates()) === proxies.length)
  }
  for (const side of [a, b, c]) await until('it is linked to both others', async () => (await side.mates()) === 2)
  for (const proxy of proxies) proxy.swallow(['up', 'down'], false)
  await a.say('by a, to a dead link')
  await c.say('by c, to dead links')
  await until('the cut is known', async () => {
    const links = await Promise.all([a, b, c].map(async (side) => await side.links()))
    return String(links) === '1,1,0'
  })
  await a.say('by a, when the cut is known')
  for (const proxy of proxies) proxy.heal()
  for (const [side, texts] of [
    [c, ['by a, to a dead link', 'by a, when the cut is known']],
    [a, ['by c, to dead links']],
    [b, ['by a, to a dead link', 'by a, when the cut is known', 'by c, to dead links']]
  ] as const)
    for (const text of texts) await until(`it hears what was said ${text}`, () => side.heard.includes(text))
  await until('all are linked', async () => (await c.mates()) === 2)
  await c.say('after')
  for (const side of [a, b]) await until('new messages arrive', () => side.heard.includes('after'))
  for (const side of [a, b, c]) {
    const said = side.heard.filter((text) => !text.startsWith('gap'))
    expect(said).toHaveLength(new Set(said).size)
  }
  expect(c.heard).toContain('gap: disconnected')
  expect(c.heard.indexOf('gap: disconnected')).toBeLessThan(c.heard.indexOf('by a, to a dead link'))
})

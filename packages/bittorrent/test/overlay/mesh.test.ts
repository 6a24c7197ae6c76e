import { seededBytes, until, withSeed } from '@p2pl/tooling-vitest'
import { afterEach, expect, it, vi } from 'vitest'
import type { Engine } from '../../src/engine/engine.ts'
import { bittorrent, type BittorrentBackend } from '../../src/index.ts'
import { Dialler } from '../../src/overlay/links/dialler.ts'
import { frame } from '../../src/overlay/links/frames.ts'
import type { BittorrentOptions } from '../../src/options.ts'
import { Link } from '../../src/overlay/links/link.ts'
import { bootstrapNode, type BootstrapNode } from '../support.ts'

const backends: BittorrentBackend[] = []
let node: BootstrapNode | undefined

async function startAll(count: number, options?: BittorrentOptions): Promise<Engine[]> {
  const { address } = (node = await bootstrapNode())
  const own = Array.from({ length: count }, () => bittorrent({ ...options, bootstrap: [address] }))
  backends.push(...own)
  await Promise.all(own.map(async (backend) => await backend.start()))
  return own.flatMap(({ engine }) => (engine as Engine | undefined) ?? [])
}

afterEach(async () => {
  vi.restoreAllMocks()
  await Promise.all(backends.splice(0).map(async (backend) => await backend.stop()))
  await node?.stop()
})

/** Joins a topic, and gives the payloads that came. */
function subscribe(engine: Engine, topic: string, gaps: string[] = []): string[] {
  const heard: string[] = []
  engine.overlay.topics.join(topic, {
    message: ({ payload }) => {
      heard.push(Buffer.from(payload).toString('latin1'))
      return 'accept'
    },
    gap: ({ reason }) => void gaps.push(reason),
    state: (state) => void gaps.push(state)
  })
  return heard
}

const degreeOf = (engine: Engine, topic: string): number => engine.overlay.topics.peers(topic).length

/** Whether there is a way from each to each: groups that have not met yet hear nothing of each other's messages. */
function isOne(all: readonly Engine[], topic: string): boolean {
  const linked = new Map(all.map((engine) => [engine.id, engine.overlay.topics.peers(topic).map(({ id }) => id)]))
  const reached = new Set(all.slice(0, 1).map(({ id }) => id))
  for (const id of reached)
    for (const other of linked.get(id) ?? []) if (linked.get(other)?.includes(id) === true) reached.add(other)
  return reached.size === all.length
}

it('eight that start together, knowing one DHT node only, have the mesh of their topic', async () => {
  const all = await startAll(8)
  for (const engine of all) subscribe(engine, 'together')
  await until('each has three peers', () => all.every((engine) => degreeOf(engine, 'together') >= 3))
})

it('a publisher that never subscribed finds its way into a topic', async () => {
  const [publisher, ...others] = await startAll(4)
  const heard = others.map((engine) => subscribe(engine, 'visited'))
  await until('they have met', () => others.every((engine) => degreeOf(engine, 'visited') >= 2))
  await until(
    'the message is out',
    async () => (await publisher?.overlay.gossip.publish('visited', Uint8Array.of(1))) !== 0
  )
  await until('everybody has it', () => heard.every((list) => list.length > 0))
})

it('twenty get every message once, and few bytes travel for nothing', async () => {
  await withSeed(20, async (seed, random) => {
    const all = await startAll(20)
    const heard = all.map((engine) => subscribe(engine, 'twenty'))
    await until('each has three peers', () => all.every((engine) => degreeOf(engine, 'twenty') >= 3))
    await until('they are one mesh', () => isOne(all, 'twenty'))
    for (const engine of all) expect(degreeOf(engine, 'twenty')).toBeLessThan(20)
    const sent: string[] = []
    const size = 1_000
    const publish = async (): Promise<void> => {
      const from = all[Math.floor(random() * all.length)]
      const payload = seededBytes(size, seed * 1_000 + sent.length)
      sent.push(Buffer.from(payload).toString('latin1'))
      await from?.overlay.gossip.publish('twenty', payload)
      await new Promise((resolve) => setImmediate(resolve))
    }
    for (let i = 0; i < 60; i++) await publish()
    const complete = (): boolean => {
      const total = heard.reduce((sum, list) => sum + list.length, 0)
      return total >= sent.length * (all.length - 1)
    }
    await until('the first are everywhere', complete)
    // By now there is a tree: what comes next should go along it.
    const before = written(all)
    const settled = sent.length
    for (let i = 0; i < 200; i++) await publish()
    await until('all are everywhere', complete)
    for (const [i, list] of heard.entries())
      expect(new Set(list).size, `node ${i} hears nothing twice`).toBe(list.length)
    const deliveries = (sent.length - settled) * (all.length - 1)
    // Everything counts: control messages, the DHT's share of the wire, what peers said about others.
    const overhead = (written(all) - before) / deliveries / size
    expect(overhead).toBeLessThan(3)
  })
})

function written(all: readonly Engine[]): number {
  return all.reduce(
    (sum, engine) => sum + engine.overlay.links.all().reduce((own, link) => own + link.bytesWritten, 0),
    0
  )
}

it('what is lost on the way is asked for again', async () => {
  await withSeed(6, async (seed, random) => {
    const all = await startAll(8, { degree: 4 })
    const heard = all.map((engine) => subscribe(engine, 'repair'))
    await until('each has three peers', () => all.every((engine) => degreeOf(engine, 'repair') >= 3))
    await until('they are one mesh', () => isOne(all, 'repair'))
    const [publisher] = all
    const publish = async (i: number): Promise<void> => {
      await publisher?.overlay.gossip.publish('repair', seededBytes(100, seed * 1_000 + i))
      await new Promise((resolve) => setImmediate(resolve))
    }
    for (let i = 0; i < 50; i++) await publish(i)
    await until('the first are everywhere', () => heard.slice(1).every((list) => list.length === 50))
    // From here on every fifth message is lost on each link.
    // oxlint-disable-next-line typescript/unbound-method
    const { send } = Link.prototype
    vi.spyOn(Link.prototype, 'send').mockImplementation(function (this: Link, kind, ...parts) {
      if (kind !== frame.message || random() >= 0.2) send.call(this, kind, ...parts)
    })
    for (let i = 50; i < 250; i++) await publish(i)
    const arrived = (list: readonly string[]): number => list.length - 50
    // Without repair four of five would come over one link, and fewer over two.
    await until('nearly all come', () => heard.slice(1).every((list) => arrived(list) >= 190))
  })
})

it('when all places are taken, links without use make room and those of topics stay', async () => {
  const all = await startAll(10, { maxConnections: 8 })
  const [hub, mate, ...others] = all
  if (hub === undefined || mate === undefined) throw new Error('ten were started')
  subscribe(hub, 'useful')
  subscribe(mate, 'useful')
  await until('they meet', () => degreeOf(hub, 'useful') === 1)
  const { links, dialler } = hub.overlay
  const dialled: string[] = []
  for (const { id, overlay } of others) {
    const [address] = overlay.addresses()
    if (address === undefined) throw new Error('it listens')
    await until(
      'there is room',
      async () => await dialler.dial(address, AbortSignal.timeout(10_000)).catch(() => false)
    )
    dialled.push(id)
  }
  // The first of the others has left its place to the last.
  await until('one has left', () => links.all().length === 8)
  const linked = links.all().map(({ id }) => id)
  expect(linked.toSorted()).toEqual([mate.id, ...dialled.slice(1)].toSorted())
})

it('a subscription hears of a gap when all peers were lost and some are back', async () => {
  const [one, two] = await startAll(2)
  const gaps: string[] = []
  if (one !== undefined) subscribe(one, 'gap', gaps)
  if (two !== undefined) subscribe(two, 'gap')
  const linked = (): boolean => one !== undefined && degreeOf(one, 'gap') === 1
  await until('they meet', linked)
  expect(gaps).toEqual([])
  one?.overlay.links.all()[0]?.fail()
  await until('they meet again by themselves', () => gaps.includes('live') && linked())
  expect(gaps).toEqual(['healing', 'disconnected', 'live'])
})

it('two halves of a topic that were cut from each other become one again', async () => {
  const all = await startAll(6, { degree: 2 })
  const heard = all.map((engine) => subscribe(engine, 'halves'))
  await until('everybody has some', () => all.every((engine) => degreeOf(engine, 'halves') >= 2))
  // Nobody of one half reaches anybody of the other.
  const halfOf = new Map(all.map(({ overlay }, i) => [overlay.addresses()[0]?.port, i % 2]))
  const portOfDialler = new Map(all.map(({ overlay }) => [overlay.dialler, overlay.addresses()[0]?.port]))
  let cut = true
  // oxlint-disable-next-line typescript/unbound-method
  const { dial } = Dialler.prototype
  vi.spyOn(Dialler.prototype, 'dial').mockImplementation(async function (this: Dialler, address, signal) {
    if (cut && halfOf.get(portOfDialler.get(this)) !== halfOf.get(address.port)) throw new Error('cut')
    return await dial.call(this, address, signal)
  })
  const across = (engine: Engine, i: number): Link[] =>
    engine.overlay.links.all().filter(({ address }) => halfOf.get(address?.port) !== i % 2)
  const withinHalf = (engine: Engine): number => degreeOf(engine, 'halves')
  await until('each half is content', () => {
    // A connection that was being opened comes after the cut.
    for (const [i, engine] of all.entries()) for (const link of across(engine, i)) link.fail()
    return all.every((engine, i) => across(engine, i).length === 0 && withinHalf(engine) >= 2)
  })
  cut = false
  await until('a message crosses', async () => {
    await all[0]?.overlay.gossip.publish('halves', new Uint8Array([65]))
    return heard.slice(1).every((list) => list.includes('A'))
  })
})

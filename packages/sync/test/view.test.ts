import { createIdentity, createPeer } from '@p2pl/core'
import { createMemoryNetwork, memory } from '@p2pl/memory'
import { seededBytes, until } from '@p2pl/tooling-vitest'
import { CID } from 'multiformats/cid'
import { expect, test } from 'vitest'
import { openView, readView } from '../src/index.ts'
import type { Entry, View, ViewOptions } from '../src/index.ts'
import { digestOf } from '../src/cid.ts'
import { limits } from '../src/limits.ts'
import { bytesOf, collect, member, members, memoryDatabase } from './support/peers.ts'

function texts(entries: readonly Entry[]): string[] {
  return entries.map(({ payload }) => new TextDecoder().decode(payload))
}

async function* blocksOf(blocks: Iterable<{ cid: CID; bytes: Uint8Array }>) {
  yield* blocks
}

/** The blocks of the index as a reader of the published digest fetches them. */
async function indexBlocks(view: View, getBlock: (cid: CID) => Promise<Uint8Array>) {
  const { root } = await view.publishDigest()
  const blocks: { cid: CID; bytes: Uint8Array }[] = []
  const recording = async (cid: CID): Promise<Uint8Array> => {
    const bytes = await getBlock(cid)
    blocks.push({ cid, bytes })
    return bytes
  }
  return { root, blocks, entries: await collect(readView(root, { topic: 'test', getBlock: recording })) }
}

test('two peers reach the same digest and hold the same entries in the same order', async () => {
  const [a, b] = await members(2)
  await using first = a!
  await using second = b!
  for (let i = 0; i < 10; i++) await first.view.append(bytesOf(`a${i}`))
  await second.view.append(bytesOf('b'))
  await until('all entries', () => first.view.count === 11 && second.view.count === 11)
  await first.view.agreed()
  await second.view.agreed()
  // At once: a peer that was not heard for some periods agrees no more, and this process may stand still for as long.
  const status = second.view.status()
  expect(await first.view.digest()).toEqual(await second.view.digest())
  expect(await collect(first.view.entries())).toEqual(await collect(second.view.entries()))
  expect(status).toMatchObject({ missing: 0, pending: 0, quarantined: 0, dropped: 0, diverging: [] })
  expect(status.agreeing).toEqual([first.peer.id])
  expect(status.heads.map(String)).toEqual(second.view.heads().map(String))
})

test('a peer that comes later gets everything without another write', async () => {
  const network = createMemoryNetwork()
  await using early = await member(network)
  await Promise.all(Array.from({ length: 500 }, async (_, i) => await early.view.append(bytesOf(`entry ${i}`))))
  const digest = await early.view.publishDigest()
  await using late = await member(network)
  await early.view.agreed()
  expect(await late.view.digest()).toEqual(digest)
  const { entries } = await indexBlocks(late.view, async (cid) => await late.peer.blocks.get(cid))
  expect(entries).toEqual(await collect(late.view.entries()))
  expect(texts(entries)).toEqual(Array.from({ length: 500 }, (_, i) => `entry ${i}`))
})

test('a view without entries has a root that others can read', async () => {
  const network = createMemoryNetwork()
  await using first = await member(network)
  await using second = await member(network)
  const { root, entries } = await indexBlocks(first.view, async (cid) => {
    return await second.peer.blocks.get(cid, { providers: first.peer.network.self() })
  })
  expect(entries).toEqual([])
  expect(await first.peer.blocks.has(root)).toBe(true)
})

test('a view that catches up tells of itself when it is done, and of its own entries at once', async () => {
  const network = createMemoryNetwork()
  // Long enough that nothing here is sent because it is time, on a busy machine either.
  const patient = { beaconPeriod: 30_000 }
  await using early = await member(network, patient)
  const total = 3_000
  await Promise.all(Array.from({ length: total }, async (_, i) => await early.view.append(bytesOf(`entry ${i}`))))
  const { promise: released, resolve: release } = Promise.withResolvers<void>()
  await using late = await member(network, {
    ...patient,
    validate: async ({ clock }) => {
      if (clock > 2_500) await released
      return 'valid' as const
    }
  })
  await until('half of it', () => late.view.count > 1_200)
  await using third = await member(network, patient)
  await until('the third is heard', () => late.view.status().diverging.includes(third.peer.id))
  const counts = late.events.flatMap((event) => (event.type === 'digest' ? [event.digest.count] : []))
  expect(counts.filter((count) => count > limits.catchUp)).toEqual([])
  const own = await late.view.append(bytesOf('own'))
  await until('the own entry', async () => await early.view.has(own.cid))
  release()
  await until('all entries', () => [early, late, third].every(({ view }) => view.count === total + 1))
  await Promise.all([early, late, third].map(async ({ view }) => await view.agreed({ peers: 2 })))
})

test('entries are announced and served one by one only while somebody is there', async () => {
  const network = createMemoryNetwork()
  // Long enough that no pause of a busy machine looks like absence.
  const patient = { beaconPeriod: 2000 }
  await using early = await member(network, patient)
  const alone = await early.view.append(bytesOf('alone'))
  await early.view.publishDigest()
  expect(await early.peer.blocks.has(alone.cid)).toBe(false)
  await using late = await member(network, patient)
  await late.view.agreed()
  await early.view.agreed()
  expect(late.view.heads().map(String)).toEqual([alone.cid.toString()])
  const together = await early.view.append(bytesOf('together'))
  await until('the entry is served', async () => await early.peer.blocks.has(together.cid))
  await until('the entry is there', async () => await late.view.has(together.cid))
})

test('appends that do not wait for each other form a chain in the order of the calls, and events come first', async () => {
  await using one = await member(createMemoryNetwork())
  const seen: string[] = []
  const appended = await Promise.all(
    Array.from({ length: 50 }, async (_, i) => {
      const entry = await one.view.append(bytesOf(`${i}`))
      const event = one.events.find(
        ({ type, ...rest }) => type === 'entry' && 'entry' in rest && rest.entry.cid.equals(entry.cid)
      )
      expect(event).toMatchObject({ local: true })
      seen.push(`${i}`)
      return entry
    })
  )
  expect(appended.map(({ clock }) => clock)).toEqual(Array.from({ length: 50 }, (_, i) => i + 1))
  expect(seen).toHaveLength(50)
  expect(texts(await collect(one.view.entries()))).toEqual(Array.from({ length: 50 }, (_, i) => `${i}`))
  expect(one.view.heads().map(String)).toEqual([appended[49]!.cid.toString()])
  expect(appended[1]!.author).toBe(one.peer.id)
})

test('entries are read from, to and against the order, and a reading does not see what comes later', async () => {
  await using one = await member(createMemoryNetwork())
  const appended: Entry[] = []
  for (let i = 0; i < 6; i++) appended.push(await one.view.append(bytesOf(`${i}`)))
  const read = async (options: Parameters<View['entries']>[0]): Promise<string[]> =>
    texts(await collect(one.view.entries(options)))
  expect(await read({ after: appended[3]!.cid })).toEqual(['4', '5'])
  expect(await read({ after: appended[1]!.cid, limit: 2 })).toEqual(['2', '3'])
  expect(await read({ reverse: true, limit: 2 })).toEqual(['5', '4'])
  expect(await read({ reverse: true, after: appended[2]!.cid })).toEqual(['1', '0'])
  const reading = one.view.entries()
  await reading.next()
  await one.view.append(bytesOf('late'))
  expect(texts(await collect(reading))).toEqual(['1', '2', '3', '4', '5'])
  const foreign = CID.parse('bafyreidykglsfhoixmivffc5uwhcgshx4j465xwqntbmu43nb2dzqwfvae')
  await expect(collect(one.view.entries({ after: foreign }))).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' })
  expect(await one.view.get(foreign)).toBeUndefined()
  expect(await one.view.has(foreign)).toBe(false)
  expect(await one.view.get(appended[2]!.cid)).toEqual(appended[2])
})

test.each<[string, unknown]>([
  ['a text', 'hi'],
  ['an object', {}],
  ['an array', [1, 2, 300]],
  ['a DataView', new DataView(new ArrayBuffer(4))],
  ['an ArrayBuffer', new ArrayBuffer(4)],
  ['nothing', undefined],
  ['null', null]
])('append refuses %s', async (_, payload) => {
  await using one = await member(createMemoryNetwork())
  await expect(one.view.append(payload as Uint8Array)).rejects.toMatchObject({
    code: 'INVALID_ARGUMENT',
    message: expect.stringContaining('Uint8Array') as string
  })
  expect(one.view.count).toBe(0)
})

test('options that do not exist are named', async () => {
  await using one = await member(createMemoryNetwork())
  const { view, peer } = one
  const named = { code: 'INVALID_ARGUMENT', message: expect.stringContaining('paernts') as string }
  const wrong = { paernts: [] } as object
  await expect(openView({ peer, topic: 'test', store: memoryDatabase(), ...wrong })).rejects.toMatchObject(named)
  await expect(view.append(bytesOf('x'), wrong)).rejects.toMatchObject(named)
  await expect(view.agreed(wrong)).rejects.toMatchObject(named)
  await expect(view.publishDigest(wrong)).rejects.toMatchObject(named)
  await expect(view.import(blocksOf([]), wrong)).rejects.toMatchObject(named)
  await expect(collect(view.entries(wrong))).rejects.toMatchObject(named)
  expect(() => view.heads(wrong)).toThrow(/paernts/)
})

test('heads are named in canonical order, the newest when there are many', async () => {
  await using one = await member(createMemoryNetwork())
  const all: Entry[] = []
  for (let i = 0; i < 80; i++) all.push(await one.view.append(bytesOf(`${i}`), { parents: [] }))
  const last = await one.view.append(bytesOf('newest'), { parents: [all[0]!.cid] })
  expect(one.view.heads()).toHaveLength(80)
  expect(one.view.heads({ limit: 1 }).map(String)).toEqual([last.cid.toString()])
  expect(one.view.status().heads).toHaveLength(64)
})

test('parents, author and payload can be chosen, within bounds', async () => {
  const identity = await createIdentity()
  await using one = await member(createMemoryNetwork(), { maxPayloadBytes: 100, maxParents: 2 })
  const { view } = one
  const first = await view.append(bytesOf('first'), { parents: [] })
  const second = await view.append(bytesOf('second'), { parents: [], identity })
  expect([first.clock, second.clock, second.author]).toEqual([1, 1, identity.id])
  const third = await view.append(bytesOf('third'), { parents: [first.cid, second.cid, first.cid] })
  expect([third.clock, third.parents.length]).toEqual([2, 2])
  const again = await view.append(bytesOf('third'), { parents: [first.cid, second.cid] })
  expect(again.cid.equals(third.cid)).toBe(true)
  expect(view.count).toBe(3)
  await expect(view.append(seededBytes(101, 1))).rejects.toMatchObject({ code: 'TOO_LARGE' })
  const unknown = CID.createV1(0x71, (await other('x')).cid.multihash)
  await expect(view.append(bytesOf('x'), { parents: [unknown] })).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' })
  const raw = CID.createV1(0x55, first.cid.multihash)
  await expect(view.append(bytesOf('x'), { parents: [raw] })).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' })
  const all = [first.cid, second.cid, third.cid]
  await expect(view.append(bytesOf('x'), { parents: all })).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' })
  const signal = AbortSignal.abort()
  await expect(view.append(bytesOf('x'), { signal })).rejects.toMatchObject({ code: 'ABORTED' })
})

async function other(text: string): Promise<Entry> {
  await using stranger = await member(createMemoryNetwork())
  return await stranger.view.append(bytesOf(text))
}

test('import takes the nodes of an index in any order and refuses what does not belong', async () => {
  await using source = await member(createMemoryNetwork())
  await Promise.all(Array.from({ length: 300 }, async (_, i) => await source.view.append(bytesOf(`${i}`))))
  const { root, blocks } = await indexBlocks(source.view, async (cid) => await source.peer.blocks.get(cid))
  await using target = await member(createMemoryNetwork())
  expect(await target.view.import(blocksOf([...blocks].reverse()))).toEqual({ added: 300, known: 0, refused: 0 })
  expect((await target.view.digest()).root.equals(root)).toBe(true)
  expect(await target.view.import(blocksOf(blocks))).toEqual({ added: 0, known: 300, refused: 0 })
  const [block] = blocks
  const damaged = { cid: block!.cid, bytes: block!.bytes.slice().fill(0, 5, 6) }
  expect(await target.view.import(blocksOf([damaged]))).toEqual({ added: 0, known: 0, refused: 1 })
  // Leaves without the ones before them: entries whose parents never come.
  await using half = await member(createMemoryNetwork())
  const last = blocks.at(-1)!
  const result = await half.view.import(blocksOf([last]))
  expect(result.added).toBe(0)
  expect(result.refused).toBeGreaterThan(0)
  expect(half.view.count).toBe(0)
})

test('readView finds every contradiction', async () => {
  await using one = await member(createMemoryNetwork())
  await Promise.all(Array.from({ length: 200 }, async (_, i) => await one.view.append(bytesOf(`${i}`))))
  const { root, blocks } = await indexBlocks(one.view, async (cid) => await one.peer.blocks.get(cid))
  const stored = new Map(blocks.map(({ cid, bytes }) => [cid.toString(), bytes]))
  const read = async (topic: string, change?: (cid: CID, bytes: Uint8Array) => Uint8Array): Promise<Entry[]> =>
    await collect(
      readView(root, {
        topic,
        getBlock: async (cid) => {
          const bytes = stored.get(cid.toString())!
          return change === undefined ? bytes : change(cid, bytes)
        }
      })
    )
  expect(await read('test')).toHaveLength(200)
  await expect(read('another topic')).rejects.toMatchObject({ code: 'INVALID_CONTENT' })
  await expect(read('test', (_, bytes) => bytes.slice(1))).rejects.toMatchObject({ code: 'INVALID_CONTENT' })
  const raw = CID.createV1(0x55, root.multihash)
  const source = { topic: 'test', getBlock: async () => new Uint8Array() }
  await expect(collect(readView(raw, source))).rejects.toMatchObject({ code: 'INVALID_CONTENT' })
})

test('an empty view has a root that everybody knows', async () => {
  const [a, b] = await members(2)
  await using first = a!
  await using second = b!
  const digest = await first.view.agreed()
  expect(digest.count).toBe(0)
  expect(await second.view.publishDigest()).toEqual(digest)
  expect(digestOf(digest.root)).toBeDefined()
})

test('agreed ends with its signal and with the view', async () => {
  const alone = await member(createMemoryNetwork())
  const stopped = expect(alone.view.agreed()).rejects.toMatchObject({ code: 'NOT_RUNNING' })
  const controller = new AbortController()
  const aborted = expect(alone.view.agreed({ signal: controller.signal })).rejects.toMatchObject({ code: 'ABORTED' })
  controller.abort()
  await aborted
  await expect(alone.view.agreed({ peers: 0 })).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' })
  await alone[Symbol.asyncDispose]()
  await stopped
  await expect(alone.view.digest()).rejects.toMatchObject({ code: 'NOT_RUNNING' })
})

test('agreed waits for as many peers as it was told', async () => {
  const all = await members(5)
  await all[0]!.view.append(bytesOf('one'))
  const digest = await all[0]!.view.agreed({ peers: 4 })
  expect(digest.count).toBe(1)
  await Promise.all(all.map(async (each) => await each[Symbol.asyncDispose]()))
})

test.each<[string, Partial<ViewOptions>]>([
  ['topic', { topic: '' }],
  ['store', { store: '' }],
  ['maxParents', { maxParents: 0 }],
  ['maxParents', { maxParents: 1.5 }],
  ['maxPayloadBytes', { maxPayloadBytes: 1e9 }],
  ['beaconPeriod', { beaconPeriod: Number.NaN }]
])('a wrong %s is named in the error', async (name, wrong) => {
  const peer = await createPeer({ backend: memory({ network: createMemoryNetwork() }) })
  const opened = openView({ peer, topic: 'test', store: memoryDatabase(), ...wrong })
  await expect(opened).rejects.toMatchObject({
    code: 'INVALID_ARGUMENT',
    message: expect.stringContaining(name) as string
  })
  await peer.stop()
})

test('a view outlives its peer for what needs no network, and stops cleanly', async () => {
  const one = await member(createMemoryNetwork())
  await one.view.append(bytesOf('before'))
  await one.peer.stop()
  await one.view.append(bytesOf('after'))
  expect(texts(await collect(one.view.entries()))).toEqual(['before', 'after'])
  await expect(one.view.publishDigest()).rejects.toMatchObject({ code: 'NOT_RUNNING' })
  await one.view.stop()
  await one.view.stop()
})

test('a digest is published while somebody writes all the time', async () => {
  const network = createMemoryNetwork()
  // Nodes of a digest that was overtaken are served for eight periods: more than any machine needs to read them here.
  await using one = await member(network, { beaconPeriod: 5_000 })
  const writing = new AbortController()
  const writer = (async () => {
    for (let i = 0; !writing.signal.aborted; i++) {
      await one.view.append(bytesOf(`${i}`))
      // A store in memory and a signature on this thread never wait for anything: timers would not get their turn.
      await new Promise((resolve) => setImmediate(resolve))
    }
  })()
  await until('some entries', () => one.view.count > 200)
  for (let i = 0; i < 5; i++) {
    const { root, count } = await one.view.publishDigest()
    const source = { topic: 'test', getBlock: async (cid: CID) => await one.peer.blocks.get(cid) }
    expect(await collect(readView(root, source))).toHaveLength(count)
  }
  writing.abort()
  await writer
})

import { createIdentity, createPeer } from '@p2pl/core'
import type { Identity, Peer } from '@p2pl/core'
import { createMemoryNetwork, memory } from '@p2pl/memory'
import type { MemoryNetwork } from '@p2pl/memory'
import { seededBytes, until, Watchdog } from '@p2pl/tooling-vitest'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { compareBytes } from '../src/bytes.ts'
import type { Bytes } from '../src/bytes.ts'
import { cidOf, digestOf, hash } from '../src/cid.ts'
import { decodeEntry, encodeEntry, signingDomain, signingInput, widestBounds } from '../src/entry/codec.ts'
import type { EntryRecord } from '../src/entry/codec.ts'
import { encodeInner, encodeLeaf } from '../src/tree/node.ts'
import { decodeMessage, encodeMessage } from '../src/wire/messages.ts'
import type { WireMessage } from '../src/wire/messages.ts'
import { beaconPeriod, bytesOf, collect, member } from './support/peers.ts'
import type { Member } from './support/peers.ts'

let network: MemoryNetwork
let honest: Member
let attacker: Peer
let identity: Identity
const domain = signingDomain('test')

beforeEach(async () => {
  network = createMemoryNetwork()
  honest = await member(network, { maxPayloadBytes: 1000 })
  identity = await createIdentity()
  attacker = await createPeer({ backend: memory({ network }), identity })
})

afterEach(async () => {
  await honest[Symbol.asyncDispose]()
  await attacker.stop()
})

async function send(message: WireMessage): Promise<void> {
  await attacker.topic('test').publish(encodeMessage(message))
}

async function announce(...entries: Bytes[]): Promise<void> {
  await send({ kind: 'announcement', providers: attacker.network.self(), entries })
}

async function forge(
  fields: { parents?: Bytes[]; clock?: number; payload?: Bytes },
  signature?: Bytes
): Promise<EntryRecord> {
  const { parents = [], clock = 1, payload = bytesOf('evil') } = fields
  const all = { parents: [...parents].sort(compareBytes), previous: 0, clock, payload, author: identity.publicKey }
  return await decodeEntry(
    encodeEntry(all, signature ?? (await identity.sign(signingInput(domain, all)))),
    widestBounds
  )
}

function dropped(reason: string, { events } = honest): number {
  return events.filter((event) => event.type === 'dropped' && event.reason === reason).length
}

async function untilDropped(reason: string, count = 1, by = honest): Promise<void> {
  await until(`${count} dropped as ${reason}`, () => dropped(reason, by) >= count)
}

/** Whatever happened, honest peers still converge with this one. */
async function expectAlive(entries: number): Promise<void> {
  await using other = await member(network, { maxPayloadBytes: 1000 })
  await other.view.append(bytesOf('hello'))
  await honest.view.append(bytesOf('still here'))
  await Promise.all([honest.view.agreed(), other.view.agreed()])
  expect(honest.view.count).toBe(entries + 2)
}

test('garbage is counted and dropped', async () => {
  for (let i = 0; i < 20; i++) await attacker.topic('test').publish(seededBytes(i * 50, i))
  await announce(seededBytes(100, 1), bytesOf(''))
  await untilDropped('garbage', 22)
  await expectAlive(0)
})

test('oversized entries and messages are dropped', async () => {
  const large = await forge({ payload: seededBytes(5000, 1) })
  await announce(large.bytes)
  await untilDropped('oversized')
  await attacker.topic('test').publish(seededBytes(2_000_000, 1))
  await untilDropped('oversized', 2)
  await expectAlive(0)
})

test('forged entries are dropped, also under the key of somebody else', async () => {
  await announce((await forge({}, seededBytes(64, 1))).bytes)
  await untilDropped('forged')
  const elsewhere = { parents: [], previous: 0, clock: 1, payload: bytesOf('x'), author: identity.publicKey }
  const signature = await identity.sign(signingInput(signingDomain('another topic'), elsewhere))
  await announce(encodeEntry(elsewhere, signature))
  await untilDropped('forged', 2)
  await expectAlive(0)
})

test('clocks that do not follow from the parents are dropped, and so are descendants', async () => {
  // Its period is long, so that it does not give up the child before the liar has come.
  await using patient = await member(network, { maxPayloadBytes: 1000, beaconPeriod: 20_000 })
  const root = await forge({})
  const liar = await forge({ parents: [root.digest], clock: 9 })
  const child = await forge({ parents: [liar.digest], clock: 10 })
  await announce(root.bytes)
  await until('the good entry', () => patient.view.count === 1 && honest.view.count === 1)
  await announce(child.bytes)
  await until('a pending entry', () => patient.view.status().pending === 1)
  await announce(liar.bytes)
  await untilDropped('clock', 1, patient)
  await untilDropped('invalid', 1, patient)
  await announce((await forge({ clock: 2 })).bytes)
  for (const one of [patient, honest]) {
    await untilDropped('clock', 2, one)
    expect(one.view.status()).toMatchObject({ pending: 0, missing: 0 })
  }
  await expectAlive(1)
})

test('a bad child of a good parent poisons nobody', async () => {
  const parent = await forge({})
  const bad = await forge({ parents: [parent.digest], clock: 2 }, seededBytes(64, 1))
  const good = await forge({ parents: [parent.digest], clock: 2, payload: bytesOf('good') })
  await announce(bad.bytes, good.bytes, parent.bytes)
  await until('both good entries', () => honest.view.count === 2)
  expect(dropped('forged')).toBe(1)
  expect(await honest.view.has(cidOf(good.digest))).toBe(true)
})

test('parents that do not exist are looked for, given up, and cost no memory', async () => {
  const orphans: Bytes[] = []
  for (let i = 0; i < 30; i++) {
    const invented = await Promise.all(
      [seededBytes(32, i), seededBytes(32, i + 1000)].map(async (bytes) => await hash(bytes))
    )
    orphans.push((await forge({ parents: invented, clock: 5, payload: seededBytes(8, i) })).bytes)
  }
  // In one message: the first must not be given up before the last has come.
  await announce(...orphans)
  await until('pending entries', () => honest.view.status().pending === 30)
  expect(honest.view.status().missing).toBe(60)
  expect(honest.view.status().oldestMissing).toBeGreaterThanOrEqual(0)
  await untilDropped('quarantined', 30)
  const status = honest.view.status()
  expect(status).toMatchObject({ pending: 0, missing: 0 })
  expect(status.quarantined).toBeGreaterThan(0)
  await expectAlive(0)
})

test.each<[string, () => Promise<{ root: Bytes; count: number; blocks: Bytes[] }>]>([
  [
    'entries out of order',
    async () => {
      const all = await Promise.all([1, 2, 3].map(async (i) => await forge({ payload: seededBytes(4, i) })))
      const sorted = all.sort((a, b) => compareBytes(b.key, a.key))
      const leaf = encodeLeaf(sorted.map(({ bytes }) => bytes))
      return { root: await hash(leaf), count: 3, blocks: [leaf] }
    }
  ],
  [
    'a child with another key',
    async () => {
      const all = await Promise.all([1, 2].map(async (i) => await forge({ payload: seededBytes(4, i) })))
      const [first, second] = all.sort((a, b) => compareBytes(a.key, b.key)) as [EntryRecord, EntryRecord]
      const leaf = encodeLeaf([first.bytes])
      const inner = encodeInner(1, [
        { key: first.key, digest: await hash(leaf), count: 1 },
        { key: second.key, digest: await hash(leaf), count: 1 }
      ])
      return { root: await hash(inner), count: 2, blocks: [leaf, inner] }
    }
  ],
  [
    'a forged entry',
    async () => {
      const leaf = encodeLeaf([(await forge({}, seededBytes(64, 9))).bytes])
      return { root: await hash(leaf), count: 1, blocks: [leaf] }
    }
  ],
  [
    'bytes that are no node',
    async () => {
      const bytes = seededBytes(500, 1)
      return { root: await hash(bytes), count: 1, blocks: [bytes] }
    }
  ]
])('an index with %s is a lie', async (_, make) => {
  const { root, count, blocks } = await make()
  await attacker.blocks.putMany(
    await Promise.all(blocks.map(async (bytes) => ({ cid: cidOf(await hash(bytes)), bytes })))
  )
  await send({ kind: 'beacon', providers: attacker.network.self(), root, count, proofs: [], padding: 0 })
  await untilDropped('garbage')
  await expectAlive(0)
})

test('what validate refuses is dropped with all that builds on it, here and everywhere', async () => {
  const strict = async (): Promise<Member> =>
    await member(network, {
      validate: ({ payload }) => {
        if (payload[0] === 2) throw new Error('a bug of the application')
        return payload[0] === 1 ? 'invalid' : 'valid'
      }
    })
  await using a = await strict()
  await using b = await strict()
  const bad = await forge({ payload: Uint8Array.of(1) })
  const child = await forge({ parents: [bad.digest], clock: 2, payload: Uint8Array.of(0) })
  const crash = await forge({ payload: Uint8Array.of(2) })
  await announce(child.bytes, bad.bytes, crash.bytes)
  await until('three dropped', () => a.view.status().dropped >= 3 && b.view.status().dropped >= 3)
  await expect(a.view.append(Uint8Array.of(1))).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' })
  const good = await a.view.append(Uint8Array.of(0))
  await until('the good entry', async () => await b.view.has(good.cid))
  expect(await collect(b.view.entries())).toEqual([good])
})

test('a wrong count costs its sender, and hides nothing of the index', async () => {
  const entry = await forge({})
  const leaf = encodeLeaf([entry.bytes])
  const root = await hash(leaf)
  await attacker.blocks.putMany([{ cid: cidOf(root), bytes: leaf }])
  await send({ kind: 'beacon', providers: attacker.network.self(), root, count: 7, proofs: [], padding: 0 })
  await until('the entry', async () => await honest.view.has(cidOf(entry.digest)))
  expect(dropped('garbage')).toBe(0)
  await expectAlive(1)
})

test('neither refused nodes nor refused entries stay in the store', async () => {
  await using strict = await member(network, { validate: ({ payload }) => (payload[0] === 1 ? 'invalid' : 'valid') })
  const entries = await Promise.all([1, 2, 3].map(async (i) => await forge({ payload: Uint8Array.of(1, i) })))
  const leaf = encodeLeaf(entries.sort((a, b) => compareBytes(a.key, b.key)).map(({ bytes }) => bytes))
  const root = await hash(leaf)
  await attacker.blocks.putMany([{ cid: cidOf(root), bytes: leaf }])
  await send({ kind: 'beacon', providers: attacker.network.self(), root, count: 3, proofs: [], padding: 0 })
  await until('a refused entry', () => strict.view.status().dropped > 0)
  await until('the node is gone', async () => !(await strict.peer.blocks.has(cidOf(root))))
  expect(strict.view.count).toBe(0)
})

test('a peer that repeats the digest of others and holds nothing does not agree', async () => {
  await honest.view.append(bytesOf('one'))
  const { root, count } = await honest.view.publishDigest()
  const controller = new AbortController()
  const agreed = honest.view.agreed({ signal: controller.signal })
  const echo = { kind: 'beacon' as const, root: digestOf(root)!, count, proofs: [], padding: 0 }
  // Told at each look, since a report is forgotten soon, as where this process stands still.
  await until('the echo', async () => {
    await send({ ...echo, providers: attacker.network.self() })
    return honest.view.status().agreeing.includes(identity.id)
  })
  expect(honest.view.status().proven).toEqual([])
  controller.abort()
  await expect(agreed).rejects.toMatchObject({ code: 'ABORTED' })
  await using holder = await member(network, { maxPayloadBytes: 1000 })
  await honest.view.agreed()
  expect(honest.view.status().proven).toEqual([holder.peer.id])
})

test('messages as large as they may be, and a flood of them, stop the event loop for no 100 ms', async () => {
  const large = Array.from({ length: 400 }, (_, i) => seededBytes(200, i))
  const digests = await Promise.all(large.map(async (bytes) => await hash(bytes)))
  const provider = attacker.network.self()
  const root = digests[0]!
  const messages: WireMessage[] = [
    { kind: 'beacon', providers: provider, root, count: 1, proofs: [], padding: 200_000 },
    { kind: 'announcement', providers: provider, entries: large },
    { kind: 'request', wanted: digests.slice(0, 16), padding: 190_000 },
    { kind: 'answer', blocks: large.slice(0, 16), larger: [] }
  ]
  const watchdog = new Watchdog()
  const sent = attacker.topic('test')
  for (let i = 0; i < 60; i++) {
    // Signing and handing over are the attacker's own work: a turn in between keeps it out of the measure.
    await sent.publish(encodeMessage(messages[i % 4]!))
    await new Promise((resolve) => setImmediate(resolve))
  }
  await until('all are handled', () => dropped('garbage') > 0)
  const longest = watchdog.stop()
  expect(longest).toBeLessThan(100)
  await expectAlive(0)
})

test('a flood of repair requests is answered for a few blocks only', async () => {
  const wanted = digestOf((await honest.view.append(bytesOf('wanted'))).cid)!
  let answers = 0
  const subscription = attacker.topic('test').subscribe()
  await subscription.joined
  const listening = (async () => {
    for await (const item of subscription) {
      if (item.type !== 'message' || item.sender !== honest.peer.id) continue
      const message = decodeMessage(item.payload)
      if (message.kind !== 'answer') continue
      // The requests are too small for the block itself.
      for (const { digest } of message.larger) if (compareBytes(digest, wanted) === 0) answers++
    }
  })()
  const begin = performance.now()
  for (let i = 0; i < 100; i++) await send({ kind: 'request', wanted: [wanted, seededBytes(32, i)], padding: 0 })
  await honest.view.append(bytesOf('later'))
  await expectAlive(2)
  await until('an answer', () => answers > 0)
  await subscription.close()
  await listening
  // One answer per period, however long the flood takes; one more to a request that is larger than those before.
  const periods = (performance.now() - begin) / beaconPeriod
  expect(answers).toBeLessThanOrEqual(2 + periods)
})

import { seededRandom } from '@p2pl/tooling-vitest'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { compareBytes, concatBytes, mapKey } from '../src/bytes.ts'
import type { Bytes } from '../src/bytes.ts'
import { hash } from '../src/cid.ts'
import { isBoundary, keyOf } from '../src/entry/key.ts'
import { EntryRecord } from '../src/entry/record.ts'
import { Chunker } from '../src/tree/chunker.ts'
import { encodeInner, encodeLeaf, innerItemBytes, leafItemBytes, standardShape } from '../src/tree/node.ts'
import type { Child, Shape } from '../src/tree/node.ts'
import { IndexTree } from '../src/tree/tree.ts'
import { openTables, type Tables } from '../src/store/database.ts'
import { Store } from '../src/store/store.ts'
import { memoryDatabase } from './support/peers.ts'

/** An entry for the index: nothing but key and bytes count there. */
function entryAt(clock: number, digest: Bytes, size: number): EntryRecord {
  const bytes = concatBytes(digest, new Uint8Array(size))
  const form = { parents: 0, parentsAt: 0, previous: 0, clock, author: new Uint8Array(), payloadBytes: 0 }
  return new EntryRecord(bytes, form, digest)
}

function digestFrom(random: () => number, zeroBits: number): Bytes {
  const digest = Uint8Array.from({ length: 32 }, () => Math.floor(random() * 256))
  // What an attacker can choose by trying: boundaries at will, of any rank.
  for (let bit = 0; bit < zeroBits; bit++) digest[31 - (bit >> 3)]! &= ~(1 << (bit & 7))
  if (zeroBits === 0) digest[31]! |= 1
  return digest
}

/** Digests are chosen here, so that there are boundaries where a test wants them: they are the hashes of nothing. */
const unchecked = async (): Promise<void> => {}

/** The root of a set, from its definition. */
async function rootOf(entries: readonly EntryRecord[], shape: Shape): Promise<Bytes> {
  const sorted = [...entries].sort((a, b) => compareBytes(a.key, b.key))
  if (sorted.length === 0) return await hash(encodeLeaf([]))
  const leaves = new Chunker<EntryRecord>(0, shape)
  const chunks: EntryRecord[][] = []
  for (const entry of sorted) chunks.push(...leaves.push(entry, leafItemBytes(entry.bytes)))
  const rest = leaves.end()
  if (rest !== undefined) chunks.push(rest)
  let nodes: Child[] = await Promise.all(
    chunks.map(async (chunk) => ({
      key: chunk.at(-1)!.key,
      count: chunk.length,
      digest: await hash(encodeLeaf(chunk.map(({ bytes }) => bytes)))
    }))
  )
  for (let level = 1; nodes.length > 1; level++) {
    const chunker = new Chunker<Child>(level, shape)
    const parts: Child[][] = []
    for (const node of nodes) parts.push(...chunker.push(node, innerItemBytes(node)))
    const last = chunker.end()
    if (last !== undefined) parts.push(last)
    nodes = await Promise.all(
      parts.map(async (part) => ({
        key: part.at(-1)!.key,
        count: part.reduce((sum, child) => sum + child.count, 0),
        digest: await hash(encodeInner(level, part))
      }))
    )
  }
  return nodes[0]!.digest
}

const shapes: Record<string, Shape> = {
  standard: standardShape,
  'few items': { maxBytes: 1 << 20, maxItems: 3 },
  'few bytes': { maxBytes: 800, maxItems: 1024 }
}

const scenario = fc.record({
  seed: fc.integer(),
  count: fc.integer({ min: 0, max: 400 }),
  // Digests at random, none a boundary, or boundaries of any rank.
  digests: fc.constantFrom('random', 'flat', 'steep'),
  clocks: fc.integer({ min: 1, max: 300 }),
  shape: fc.constantFrom(...Object.keys(shapes)),
  batches: fc.integer({ min: 1, max: 40 })
})

function entriesOf({ seed, count, digests, clocks }: { seed: number; count: number; digests: string; clocks: number }) {
  const random = seededRandom(seed)
  return Array.from({ length: count }, () => {
    const zeros = digests === 'flat' ? 0 : digests === 'steep' ? Math.floor(random() * 20) : undefined
    const digest =
      zeros === undefined
        ? Uint8Array.from({ length: 32 }, () => Math.floor(random() * 256))
        : digestFrom(random, zeros)
    return entryAt(1 + Math.floor(random() * clocks), digest, 20 + Math.floor(random() * 200))
  })
}

test(
  'the root depends on the set alone, whatever the order and the grouping of inserts',
  { timeout: 120_000 },
  async () => {
    await fc.assert(
      fc.asyncProperty(scenario, async (given) => {
        const shape = shapes[given.shape]!
        const entries = entriesOf(given)
        const random = seededRandom(given.seed ^ 0x5eed)
        const shuffled = entries
          .map((entry) => ({ entry, order: random() }))
          .sort((a, b) => a.order - b.order)
          .map(({ entry }) => entry)
        const store = await Store.open(await openTables(memoryDatabase()), 'index')
        const nodes = new Map<string, Bytes>()
        const observer = {
          added: (digest: Bytes, _: unknown, bytes: Bytes) => nodes.set(mapKey(digest), bytes),
          removed: (digest: Bytes) => nodes.delete(mapKey(digest))
        }
        const tree = new IndexTree(store, observer, shape, unchecked)
        const size = Math.ceil(shuffled.length / given.batches) || 1
        for (let i = 0; i < shuffled.length; i += size) {
          await store.commit(shuffled.slice(i, i + size).map((entry) => ({ entry, local: false })))
          const root = await tree.flush()
          expect(root.count).toBe(Math.min(i + size, shuffled.length))
        }
        const { digest, count } = await tree.flush()
        expect(count).toBe(entries.length)
        expect(digest).toEqual(await rootOf(entries, shape))
        // The nodes that were reported are the tree, no more and no less, and the store makes the same bytes again.
        const seen = new Set<string>()
        for await (const node of tree.levels.all()) {
          seen.add(mapKey(node.digest))
          const bytes = await tree.levels.encode(node.place)
          expect(await hash(bytes)).toEqual(node.digest)
          expect(nodes.get(mapKey(node.digest))).toEqual(bytes)
        }
        expect(new Set(nodes.keys())).toEqual(seen)
        // And whoever opens the store later finds the same root.
        const again = await Store.open(store.tables, 'index')
        expect((await new IndexTree(again, undefined, shape, unchecked).flush()).digest).toEqual(digest)
      }),
      { numRuns: 80, seed: Number(process.env['P2PL_SEED'] ?? 3) }
    )
  }
)

test('an append at the end makes as many nodes again as the tree is high', async () => {
  const random = seededRandom(11)
  const entries = Array.from({ length: 6000 }, (_, i) => entryAt(i + 1, digestFrom(random, 0), 60)).map((entry, i) =>
    i % 50 === 0 ? entryAt(entry.clock, digestFrom(random, 6), 60) : entry
  )
  const store = await Store.open(await openTables(memoryDatabase()), 'index')
  let added = 0
  const tree = new IndexTree(store, { added: () => void added++, removed: () => {} }, standardShape, unchecked)
  await store.commit(entries.map((entry) => ({ entry, local: false })))
  const { place } = await tree.flush()
  for (let i = 0; i < 20; i++) {
    added = 0
    await store.commit([{ entry: entryAt(10_000 + i, digestFrom(random, 0), 60), local: true }])
    await tree.flush()
    expect(added).toBeLessThanOrEqual(place!.level + 2)
  }
})

test('a flush that is cut off at any write goes on after a restart', async () => {
  const random = seededRandom(5)
  const batches = Array.from({ length: 4 }, () =>
    Array.from({ length: 300 }, () =>
      entryAt(1 + Math.floor(random() * 100), digestFrom(random, Math.floor(random() * 14)), 40)
    )
  )
  const expected = await rootOf(batches.flat(), standardShape)
  for (let cut = 0; cut < 30; cut++) {
    const tables = await openTables(memoryDatabase())
    let left = cut
    let broken = false
    const failing = new Proxy(tables, {
      get: (target, name) => {
        if (name !== 'write') return (Reflect.get(target, name) as () => unknown).bind(target)
        return async (...args: Parameters<Tables['write']>) => {
          // Only writes of the index are cut off: a failed commit was never acknowledged.
          if (args[1]?.sync === false && left-- === 0) {
            broken = true
            throw new Error('power failure')
          }
          await target.write(...args)
        }
      }
    })
    let store = await Store.open(failing, 'index')
    let tree = new IndexTree(store, undefined, standardShape, unchecked)
    for (const batch of batches) {
      await store.commit(batch.map((entry) => ({ entry, local: false })))
      try {
        await tree.flush()
      } catch {
        store = await Store.open(tables, 'index')
        tree = new IndexTree(store, undefined, standardShape, unchecked)
      }
    }
    expect((await tree.flush()).digest).toEqual(expected)
    if (!broken) return
  }
})

test('boundaries of a level are boundaries of all levels below', () => {
  const random = seededRandom(1)
  for (let zeros = 0; zeros < 40; zeros++) {
    const key = keyOf(1, concatBytes(digestFrom(random, zeros)))
    for (let level = 1; level < 8; level++) if (isBoundary(key, level)) expect(isBoundary(key, level - 1)).toBe(true)
    expect(isBoundary(key, Math.floor(zeros / 6) - 1) || zeros < 6).toBe(true)
  }
})

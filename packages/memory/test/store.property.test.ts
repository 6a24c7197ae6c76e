import { isP2plError } from '@p2pl/core/backend'
import type { Block } from '@p2pl/core/backend'
import fc from 'fast-check'
import { expect, it } from 'vitest'
import { createMemoryNetwork, createMemoryStore, memory } from '../src/index.ts'
import { collect, nodeBlock, rawBlock } from '@p2pl/tooling-vitest/blocks'

/** A small graph: 0 to 3 are leaves, each other one links to some before it. */
async function graph(): Promise<{ blocks: Block[]; links: number[][] }> {
  const links = [[], [], [], [], [0, 1], [1, 2], [4, 5], [4, 3], [6, 7, 0]]
  const blocks: Block[] = []
  for (const [i, below] of links.entries())
    blocks.push(await (below.length === 0 ? rawBlock(`leaf ${i}`) : nodeBlock(below.map((to) => blocks[to]!.cid))))
  return { blocks, links }
}

const node = fc.nat(8)
const operation = fc.oneof(
  fc.record({ kind: fc.constant('put' as const), node }),
  fc.record({ kind: fc.constant('delete' as const), node }),
  fc.record({ kind: fc.constant('pin' as const), node, recursive: fc.boolean() }),
  fc.record({ kind: fc.constant('unpin' as const), node }),
  fc.record({ kind: fc.constant('gc' as const), node }),
  fc.record({ kind: fc.constant('restart' as const), node })
)

it('a store holds what a simple model of it holds, whatever is done to it in whatever order', async () => {
  const { blocks, links } = await graph()
  const below = (root: number): number[] => [root, ...links[root]!.flatMap(below)]
  const numberOf = new Map(blocks.map(({ cid }, i) => [cid.toString(), i]))
  await fc.assert(
    fc.asyncProperty(fc.array(operation, { maxLength: 60 }), async (operations) => {
      const network = createMemoryNetwork()
      const backend = memory({ network, store: createMemoryStore() })
      await backend.start()
      const store = backend.blocks!
      const stored = new Set<number>()
      const pins = new Map<number, boolean>()
      const held = (): Set<number> =>
        new Set([...pins].flatMap(([root, recursive]) => (recursive ? below(root) : [root])))
      for (const { kind, node: n, ...rest } of operations) {
        const { cid } = blocks[n]!
        if (kind === 'put') {
          await store.putMany([blocks[n]!])
          stored.add(n)
        } else if (kind === 'delete') {
          const refused = await store.delete(cid).then(
            () => false,
            (error: unknown) => isP2plError(error, 'PINNED')
          )
          expect(refused).toBe(held().has(n))
          if (!refused) stored.delete(n)
        } else if (kind === 'pin') {
          const recursive = 'recursive' in rest && rest.recursive
          const needed = recursive ? below(n) : [n]
          // Nobody else is there: a pin that lacks something waits until it is put.
          const pinning = store.pin(cid, { recursive })
          for (const m of needed) {
            await store.putMany([blocks[m]!])
            stored.add(m)
          }
          await pinning
          pins.set(n, recursive || pins.get(n) === true)
        } else if (kind === 'unpin') {
          await store.unpin(cid)
          pins.delete(n)
        } else if (kind === 'gc') {
          const protectedNow = held()
          const removed = (await collect(store.gc())).map((each) => numberOf.get(each.toString())!)
          expect(new Set(removed)).toEqual(new Set([...stored].filter((m) => !protectedNow.has(m))))
          for (const m of removed) stored.delete(m)
        } else {
          await backend.stop()
          await backend.start()
        }
      }
      for (const [i, block] of blocks.entries()) expect(await store.has(block.cid)).toBe(stored.has(i))
      const kept = (await collect(store.pins())).map(({ cid, recursive }) => [numberOf.get(cid.toString()), recursive])
      expect(new Map(kept as [number, boolean][])).toEqual(pins)
      await backend.stop()
    }),
    { seed: 11, numRuns: 150 }
  )
})

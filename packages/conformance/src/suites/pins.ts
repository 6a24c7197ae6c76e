import type { Capabilities, Pin } from '@p2pl/core/backend'
import type { CID } from 'multiformats/cid'
import { anyError, check, equal, rejects, sameBytes, sameSet } from '../kit/check.ts'
import { blocksOf, dagOf, type Suite, type TestRun } from '../kit/kit.ts'
import { cborBlock, diamond, key, rawBlock, rawBlocks, type Dag } from '../kit/samples.ts'
import { collect } from '../kit/time.ts'
import type { Backend } from '@p2pl/core/backend'

const pinning = (c: Capabilities): boolean => c.blocks !== undefined && c.blocks.pins !== 'none'
const collecting = (c: Capabilities): boolean => c.blocks !== undefined && c.blocks.gc !== 'none'

async function stored(t: TestRun, backend: Backend): Promise<Dag> {
  const dag = await diamond()
  await t.within('putMany resolves', blocksOf(backend).putMany(dag.blocks, { signal: t.signal }))
  return dag
}

async function pin(t: TestRun, backend: Backend, cid: CID, recursive?: boolean): Promise<void> {
  await t.within('pin resolves', blocksOf(backend).pin(cid, { recursive, signal: t.signal }))
}

async function pinsOf(t: TestRun, backend: Backend, cid: CID): Promise<Pin[]> {
  const pins = await t.within(
    'pins() ends',
    collect(() => blocksOf(backend).pins({ signal: t.signal }))
  )
  return pins.filter((item) => key(item.cid) === key(cid))
}

async function gc(t: TestRun, backend: Backend): Promise<string[]> {
  const removed = await t.within(
    'gc() ends',
    collect(() => blocksOf(backend).gc({ signal: t.signal }))
  )
  return removed.map((cid) => key(cid))
}

async function cannotDelete(backend: Backend, cid: CID): Promise<void> {
  await rejects(() => blocksOf(backend).delete(cid), {
    backend,
    operation: 'blocks.delete',
    codes: ['PINNED']
  })
  equal(await blocksOf(backend).has(cid), true, 'a pinned block is there after a refused delete')
}

export const pins: Suite = {
  name: 'blocks: pins and garbage collection',
  tests: [
    {
      name: 'a recursive pin (the default) protects the root and everything below from delete; unpin ends that',
      when: pinning,
      run: async (t) => {
        const backend = (await t.shared('solo')).at(0)
        const dag = await stored(t, backend)
        await pin(t, backend, dag.root.cid)
        for (const { cid } of dag.blocks) await cannotDelete(backend, cid)
        await t.within('unpin resolves', blocksOf(backend).unpin(dag.root.cid))
        for (const { cid } of dag.blocks) {
          await t.within('delete after unpin resolves', blocksOf(backend).delete(cid))
          equal(await blocksOf(backend).has(cid), false, 'delete after unpin deletes')
        }
      }
    },
    {
      name: 'a direct pin protects the root only',
      when: pinning,
      run: async (t) => {
        const backend = (await t.shared('solo')).at(0)
        const child = await rawBlock()
        const root = await cborBlock([child.cid])
        await blocksOf(backend).putMany([root, child])
        await pin(t, backend, root.cid, false)
        await cannotDelete(backend, root.cid)
        await t.within('delete below a direct pin resolves', blocksOf(backend).delete(child.cid))
        equal(await blocksOf(backend).has(child.cid), false, 'a block below a direct pin can be deleted')
        await blocksOf(backend).unpin(root.cid)
      }
    },
    {
      name: 'a direct pin does not need what is below the root',
      when: pinning,
      run: async (t) => {
        const backend = (await t.shared('solo')).at(0)
        const root = await cborBlock([(await rawBlock()).cid])
        await blocksOf(backend).put(root)
        await pin(t, backend, root.cid, false)
        await blocksOf(backend).unpin(root.cid)
      }
    },
    {
      name: 'pins() lists the pins themselves with their kind, each once; a recursive pin replaces a direct one',
      when: pinning,
      run: async (t) => {
        const backend = (await t.shared('solo')).at(0)
        const dag = await stored(t, backend)
        equal((await pinsOf(t, backend, dag.root.cid)).length, 0, 'what is not pinned is not listed')
        await pin(t, backend, dag.root.cid, false)
        equal((await pinsOf(t, backend, dag.root.cid))[0]?.recursive, false, 'a direct pin is listed as such')
        await pin(t, backend, dag.root.cid)
        const listed = await pinsOf(t, backend, dag.root.cid)
        equal(listed.length, 1, 'a root that was pinned twice is listed once')
        equal(listed[0]?.recursive, true, 'a recursive pin replaces a direct one')
        for (const { cid } of dag.blocks) await cannotDelete(backend, cid)
        for (const { cid } of dag.blocks.slice(1))
          equal((await pinsOf(t, backend, cid)).length, 0, 'what a pin holds indirectly is not listed')
        await blocksOf(backend).unpin(dag.root.cid)
        equal((await pinsOf(t, backend, dag.root.cid)).length, 0, 'after unpin the pin is not listed')
      }
    },
    {
      name: 'pinning again and unpinning what is not pinned are not errors',
      when: pinning,
      run: async (t) => {
        const backend = (await t.shared('solo')).at(0)
        const dag = await stored(t, backend)
        const { cid } = dag.root
        await t.within('unpin of what is not pinned resolves', blocksOf(backend).unpin(cid))
        for (const recursive of [true, true, false]) await pin(t, backend, cid, recursive)
        equal((await pinsOf(t, backend, cid)).length, 1, 'it is listed once')
        for (let round = 0; round < 2; round++) await t.within('unpin resolves', blocksOf(backend).unpin(cid))
        await pin(t, backend, cid, false)
        await pin(t, backend, cid, false)
        await blocksOf(backend).unpin(cid)
        equal((await pinsOf(t, backend, cid)).length, 0, 'one unpin ends a pin that was made several times')
      }
    },
    {
      name: 'a pin holds what another pin shares with it',
      when: pinning,
      run: async (t) => {
        const backend = (await t.shared('solo')).at(0)
        const leaf = await rawBlock()
        const [one, two] = [await cborBlock([leaf.cid]), await cborBlock([leaf.cid])]
        await blocksOf(backend).putMany([leaf, one, two])
        await pin(t, backend, one.cid)
        await pin(t, backend, two.cid)
        await blocksOf(backend).unpin(one.cid)
        await cannotDelete(backend, leaf.cid)
        await blocksOf(backend).unpin(two.cid)
        await blocksOf(backend).delete(leaf.cid)
        equal(await blocksOf(backend).has(leaf.cid), false, 'with the last pin gone it can be deleted')
      }
    },
    {
      name: 'a recursive pin fetches what is missing, and resolves when everything is stored here',
      when: (c) => pinning(c) && c.blocks?.remote === true,
      run: async (t) => {
        const network = await t.shared('trio')
        const dag = await stored(t, network.at(1))
        await blocksOf(network.at(0)).put(dag.root)
        await pin(t, network.at(0), dag.root.cid)
        for (const { cid, bytes } of dag.blocks)
          sameBytes(
            await blocksOf(network.at(0)).get(cid, { local: true, signal: t.signal }),
            bytes,
            'every block of a pinned DAG is stored here'
          )
        await blocksOf(network.at(0)).unpin(dag.root.cid)
      }
    },
    {
      name: 'a direct pin fetches the root when it is missing',
      when: (c) => pinning(c) && c.blocks?.remote === true,
      run: async (t) => {
        const network = await t.shared('trio')
        const root = await cborBlock([(await rawBlock()).cid])
        await blocksOf(network.at(1)).put(root)
        await pin(t, network.at(0), root.cid, false)
        equal(await blocksOf(network.at(0)).has(root.cid), true, 'the root of a direct pin is stored here')
        await cannotDelete(network.at(0), root.cid)
        await blocksOf(network.at(0)).unpin(root.cid)
      }
    },
    {
      name: 'a pin of what cannot be had rejects, and is not listed',
      when: pinning,
      run: async (t) => {
        const backend = (await t.shared('solo')).at(0)
        const root = await cborBlock([(await rawBlock()).cid])
        await blocksOf(backend).put(root)
        const controller = new AbortController()
        const pinned = rejects(() => blocksOf(backend).pin(root.cid, { signal: controller.signal }), {
          backend,
          operation: 'blocks.pin',
          codes: ['ABORTED', 'NOT_FOUND']
        })
        // A store call on the way shows that the pin had its chance; it cannot end well.
        await blocksOf(backend).has(root.cid)
        controller.abort()
        await t.within('a pin that cannot be done rejects', pinned)
        equal((await pinsOf(t, backend, root.cid)).length, 0, 'a pin that failed is not listed')
        await t.within('what a failed pin touched can be deleted', blocksOf(backend).delete(root.cid))
      }
    },
    {
      name: 'a pin is by multihash like every key',
      when: pinning,
      run: async (t) => {
        const backend = (await t.shared('solo')).at(0)
        const block = await rawBlock()
        await blocksOf(backend).put(block)
        await pin(t, backend, block.cid)
        await cannotDelete(backend, (block.cid.constructor as typeof CID).createV1(0x71, block.cid.multihash))
        await blocksOf(backend).unpin(block.cid)
      }
    },
    {
      name: 'gc removes every block that no pin protects, keeps the others, and yields what it removed',
      when: (c) => collecting(c) && pinning(c),
      run: async (t) => {
        const backend = (await t.shared('solo')).at(0)
        const blocks = blocksOf(backend)
        const kept = await stored(t, backend)
        const child = await rawBlock()
        const direct = await cborBlock([child.cid])
        const loose = [...(await rawBlocks(20)), ...(await diamond()).blocks, child]
        await blocks.putMany([...loose, direct])
        await pin(t, backend, kept.root.cid)
        await pin(t, backend, direct.cid, false)
        const removed = await gc(t, backend)
        equal(new Set(removed).size, removed.length, 'each removed block is yielded once')
        for (const { cid } of [...kept.blocks, direct]) {
          equal(await blocks.has(cid), true, 'gc keeps what a pin protects')
          check(!removed.includes(key(cid)), 'gc does not yield what it keeps', removed)
        }
        for (const { cid } of loose) {
          equal(await blocks.has(cid), false, 'gc removes what no pin protects')
          check(removed.includes(key(cid)), 'gc yields the CID of each block that it removed', removed)
        }
        await blocks.unpin(kept.root.cid)
        await blocks.unpin(direct.cid)
        const second = await gc(t, backend)
        for (const { cid } of [...kept.blocks, direct])
          check(second.includes(key(cid)), 'gc removes what was unpinned', second)
        equal((await gc(t, backend)).length, 0, 'gc of an empty store removes nothing')
      }
    },
    {
      name: 'gc removes every block where pins are not declared',
      when: (c) => collecting(c) && !pinning(c),
      run: async (t) => {
        const backend = (await t.shared('solo')).at(0)
        const loose = await rawBlocks(20)
        await blocksOf(backend).putMany(loose)
        const removed = await gc(t, backend)
        for (const { cid } of loose) {
          equal(await blocksOf(backend).has(cid), false, 'gc removes every block')
          check(removed.includes(key(cid)), 'gc yields the CID of each block that it removed', removed)
        }
      }
    },
    {
      name: 'gc may run while others put: what was put is there, or gc says that it removed it',
      when: collecting,
      run: async (t) => {
        const backend = (await t.shared('solo')).at(0)
        const blocks = blocksOf(backend)
        await blocks.putMany(await rawBlocks(50))
        const during = await rawBlocks(50)
        const putEach = async (some: typeof during): Promise<void> => {
          for (const block of some) await blocks.put(block, { signal: t.signal })
        }
        const [removed] = await t.within(
          'gc and puts at the same time resolve',
          Promise.all([gc(t, backend), putEach(during.slice(0, 25)), putEach(during.slice(25))])
        )
        const gone = new Set(removed)
        for (const { cid } of during)
          equal(
            await blocks.has(cid),
            !gone.has(key(cid)),
            'a block that was put during gc is there unless gc yielded it'
          )
      }
    },
    {
      name: 'gc may run while others pin: a pin that resolved holds its blocks',
      when: (c) => collecting(c) && pinning(c),
      run: async (t) => {
        const backend = (await t.shared('solo')).at(0)
        const blocks = blocksOf(backend)
        const dags = await Promise.all(Array.from({ length: 5 }, diamond))
        const whole = dags.flatMap((dag) => dag.blocks)
        // The direct pins hold every block, so that the recursive ones find them whatever gc does meanwhile.
        await blocks.putMany([...(await rawBlocks(50)), ...whole])
        await Promise.all(whole.map(async ({ cid }) => await pin(t, backend, cid, false)))
        await Promise.all([gc(t, backend), ...dags.map(async ({ root }) => await pin(t, backend, root.cid))])
        for (const { blocks: parts } of dags) for (const { cid } of parts.slice(1)) await blocks.unpin(cid)
        await gc(t, backend)
        for (const { cid } of whole) equal(await blocks.has(cid), true, 'gc keeps what a pin holds')
        for (const { root } of dags) await blocks.unpin(root.cid)
      }
    },
    {
      name: 'pins are there, and protect, for another backend over the same store (persistence)',
      when: (c) => pinning(c) && c.blocks?.persistence !== 'none',
      run: async (t) => {
        const network = await t.fresh(1)
        await network.start(0)
        const dag = await stored(t, network.at(0))
        const unpinned = await rawBlock()
        const child = await rawBlock()
        const direct = await cborBlock([child.cid])
        await blocksOf(network.at(0)).putMany([unpinned, child, direct])
        await pin(t, network.at(0), dag.root.cid)
        await pin(t, network.at(0), direct.cid, false)
        await pin(t, network.at(0), unpinned.cid)
        await blocksOf(network.at(0)).unpin(unpinned.cid)
        await t.within('stop resolves', network.at(0).stop())
        const again = await network.reopen(0)
        await t.within('the reopened backend starts', again.start())
        const listed = await collect(() => blocksOf(again).pins())
        sameSet(
          listed.map(({ cid, recursive }) => `${key(cid)} ${recursive}`),
          [`${key(dag.root.cid)} true`, `${key(direct.cid)} false`],
          'pins are there after reopening'
        )
        for (const { cid } of [...dag.blocks, direct]) await cannotDelete(again, cid)
        if (!collecting(t.capabilities)) return
        await gc(t, again)
        for (const { cid } of [...dag.blocks, direct])
          equal(await blocksOf(again).has(cid), true, 'gc after reopening keeps what is pinned')
        equal(await blocksOf(again).has(child.cid), false, 'gc after reopening removes what is not pinned')
      }
    }
  ]
}

const wholeDags = (c: Capabilities): boolean => c.blocks !== undefined && c.blocks.dag !== 'none'

async function inOrder(t: TestRun, backend: Backend, dag: Dag): Promise<void> {
  const seen = await t.within(
    'getDag ends',
    collect(() => dagOf(backend)(dag.root.cid, { signal: t.signal }))
  )
  const names = seen.map(({ cid }) => key(cid))
  sameSet(
    names,
    dag.blocks.map(({ cid }) => key(cid)),
    'getDag gives every block of the DAG, each once'
  )
  equal(names[0], key(dag.root.cid), 'getDag gives the root first')
  for (const [i, { cid, bytes }] of seen.entries()) {
    const original = dag.blocks.find((block) => key(block.cid) === key(cid))
    if (original !== undefined) sameBytes(bytes, original.bytes, 'getDag gives the bytes of each block')
    const before = names.slice(0, i)
    check(
      i === 0 || before.some((parent) => dag.links.get(parent)?.includes(key(cid)) === true),
      'getDag gives a parent before its children',
      names
    )
  }
}

export const dags: Suite = {
  name: 'blocks: whole DAGs',
  tests: [
    {
      name: 'getDag gives the root first, every block once, parents before children',
      when: wholeDags,
      run: async (t) => {
        const backend = (await t.shared('solo')).at(0)
        await inOrder(t, backend, await stored(t, backend))
        const single = await rawBlock()
        await blocksOf(backend).put(single)
        const only = await collect(() => dagOf(backend)(single.cid))
        equal(only.length, 1, 'the DAG of a leaf is that leaf')
      }
    },
    {
      name: 'getDag fetches what another participant stores',
      when: (c) => wholeDags(c) && c.blocks?.remote === true,
      run: async (t) => {
        const network = await t.shared('trio')
        await inOrder(t, network.at(0), await stored(t, network.at(2)))
      }
    },
    {
      name: 'getDag with local: true of what is not stored rejects with NOT_FOUND at once',
      when: wholeDags,
      run: async (t) => {
        const backend = (await t.shared('trio')).at(0)
        const { cid } = await rawBlock()
        await t.within(
          'a local getDag rejects at once',
          rejects(() => collect(() => dagOf(backend)(cid, { local: true, signal: t.signal })), {
            backend,
            operation: 'blocks.getDag',
            codes: ['NOT_FOUND']
          })
        )
      }
    },
    {
      name: 'an iteration of getDag may be left early',
      when: wholeDags,
      run: async (t) => {
        const backend = (await t.shared('solo')).at(0)
        const dag = await stored(t, backend)
        const leave = async (): Promise<void> => {
          for await (const block of dagOf(backend)(dag.root.cid)) {
            equal(key(block.cid), key(dag.root.cid), 'the root is first')
            break
          }
        }
        await t.within('leaving an iteration ends it', leave())
        await t
          .within(
            'getDag works after that',
            collect(() => dagOf(backend)(dag.root.cid, { signal: t.signal }))
          )
          .catch((error: unknown) => anyError(error, backend, 'blocks.getDag'))
      }
    }
  ]
}

import { CID } from 'multiformats/cid'
import type { Block } from '@p2pl/core/backend'
import type { FakeNode } from '../../src/fake/index.ts'
import { key } from '../../src/kit/samples.ts'
import { linksOf } from '../../src/fake/dag.ts'
import { inBlocks, type Mutant } from './mutant.ts'

const missing = CID.parse('bafkreihdwdcefgh4dqkjv67uzcmw7ojee6xedzdetojuzjevtenxquvyku')

function* below(node: FakeNode, root: CID): Generator<CID> {
  yield root
  const block = node.store.blocks.get(key(root))
  if (block !== undefined) for (const link of linksOf(root, block.bytes)) yield* below(node, link)
}

export const pinMutants: readonly Mutant[] = [
  inBlocks('a recursive pin protects the root only', /recursive pin \(the default\)/, (blocks) => ({
    pin: async (cid, options) => await blocks.pin(cid, { ...options, recursive: false })
  })),
  inBlocks('a pin does not protect from delete', /protects the root/, (blocks, node) => ({
    delete: async (cid, options) => {
      await blocks.has(cid, options)
      node.store.blocks.delete(key(cid))
    }
  })),
  inBlocks('unpin does nothing', /recursive pin \(the default\)/, (blocks) => ({
    unpin: async (_cid, options) => await blocks.unpin(missing, options)
  })),
  inBlocks('a direct pin protects everything', /a direct pin protects the root only/, (blocks, node) => ({
    delete: async (cid, options) => {
      for (const pin of node.store.pins.values())
        for (const held of below(node, pin.cid))
          if (key(held) === key(cid) && node.run !== undefined && options?.signal?.aborted !== true)
            throw node.error('PINNED', 'blocks.delete', 'held')
      await blocks.delete(cid, options)
    }
  })),
  inBlocks('a direct pin fetches everything', /a direct pin does not need/, (blocks, node) => ({
    pin: async (cid, options) => {
      await blocks.pin(cid, options)
      for (const held of below(node, cid)) await blocks.get(held, options)
    }
  })),
  inBlocks('pins lists what is held indirectly', /pins\(\) lists the pins/, (blocks, node) => ({
    pins: async function* (options) {
      for await (const pin of blocks.pins(options)) {
        yield pin
        for (const cid of pin.recursive ? [...below(node, pin.cid)].slice(1) : []) yield { cid, recursive: false }
      }
    }
  })),
  inBlocks('pins lists nothing', /pins\(\) lists the pins/, (blocks) => ({
    pins: async function* (options) {
      for await (const pin of blocks.pins(options)) if (key(pin.cid) === '') yield pin
    }
  })),
  inBlocks('every pin is listed as recursive', /pins\(\) lists the pins/, (blocks) => ({
    pins: async function* (options) {
      for await (const { cid } of blocks.pins(options)) yield { cid, recursive: true }
    }
  })),
  inBlocks('a recursive pin does not replace a direct one', /pins\(\) lists the pins/, (blocks, node) => ({
    pin: async (cid, options) => {
      const before = node.store.pins.get(key(cid))
      await blocks.pin(cid, options)
      if (before !== undefined) node.store.pins.set(key(cid), before)
    }
  })),
  inBlocks('pinning again fails', /pinning again, and unpinning/, (blocks, node) => ({
    pin: async (cid, options) => {
      if (node.run !== undefined && node.store.pins.get(key(cid))?.recursive === (options?.recursive ?? true))
        throw node.error('ENGINE', 'blocks.pin', 'pinned already')
      await blocks.pin(cid, options)
    }
  })),
  inBlocks('unpinning what is not pinned fails', /pinning again, and unpinning/, (blocks, node) => ({
    unpin: async (cid, options) => {
      if (node.run !== undefined && options?.signal === undefined && !node.store.pins.has(key(cid)))
        throw node.error('NOT_FOUND', 'blocks.unpin', 'not pinned')
      await blocks.unpin(cid, options)
    }
  })),
  inBlocks('pins are counted', /pinning again, and unpinning/, (blocks, node) => {
    const counts = new Map<string, number>()
    return {
      pin: async (cid, options) => {
        await blocks.pin(cid, options)
        counts.set(key(cid), (counts.get(key(cid)) ?? 0) + 1)
      },
      unpin: async (cid, options) => {
        const left = (counts.get(key(cid)) ?? 1) - 1
        counts.set(key(cid), Math.max(0, left))
        const pin = node.store.pins.get(key(cid))
        await blocks.unpin(cid, options)
        if (left > 0 && pin !== undefined) node.store.pins.set(key(cid), pin)
      }
    }
  }),
  inBlocks('unpin frees what other pins share', /that it shares with another/, (blocks, node) => {
    const freed = new Set<string>()
    return {
      unpin: async (cid, options) => {
        for (const held of below(node, cid)) freed.add(key(held))
        await blocks.unpin(cid, options)
      },
      delete: async (cid, options) => {
        if (freed.has(key(cid)) && node.run !== undefined && options?.signal?.aborted !== true)
          node.store.blocks.delete(key(cid))
        else await blocks.delete(cid, options)
      }
    }
  }),
  inBlocks('a pin fetches the root only', /fetches missing blocks/, (blocks, node) => ({
    pin: async (cid, options) => {
      await blocks.pin(cid, { ...options, recursive: false })
      if (options?.recursive !== false) node.store.pins.set(key(cid), { cid, recursive: true })
    }
  })),
  inBlocks('a pin that failed is listed', /nobody has rejects/, (blocks, node) => ({
    pin: async (cid, options) => {
      try {
        await blocks.pin(cid, options)
      } catch (error) {
        if (node.store.blocks.has(key(cid))) node.store.pins.set(key(cid), { cid, recursive: true })
        throw error
      }
    }
  })),
  inBlocks('a pin of what is missing resolves', /nobody has rejects/, (blocks, node) => ({
    pin: async (cid, options) => {
      const missed = [...below(node, cid)].some((each) => !node.store.blocks.has(key(each)))
      if (!missed || node.run === undefined || options?.signal?.aborted === true) await blocks.pin(cid, options)
    }
  })),
  inBlocks('pins go by the whole CID', /a pin is by multihash/, (blocks, node) => ({
    delete: async (cid, options) => {
      const pin = node.store.pins.get(key(cid))
      if (pin !== undefined && pin.cid.code !== cid.code) node.store.blocks.delete(key(cid))
      else await blocks.delete(cid, options)
    }
  })),
  inBlocks('gc does not say what it removed', /gc removes every block/, (blocks) => ({
    gc: async function* (options) {
      for await (const cid of blocks.gc(options)) if (key(cid) === '') yield cid
    }
  })),
  inBlocks('gc says that it removed what it kept', /gc removes every block/, (blocks, node) => ({
    gc: async function* (options) {
      yield* blocks.gc(options)
      for (const { cid } of node.store.blocks.values()) yield cid
    }
  })),
  inBlocks('gc removes what is pinned', /gc removes every block/, (blocks, node) => ({
    gc: async function* (options) {
      yield* blocks.gc(options)
      node.store.blocks.clear()
    }
  })),
  inBlocks('gc removes what is below a recursive pin', /gc removes every block/, (blocks, node) => ({
    gc: async function* (options) {
      yield* blocks.gc(options)
      for (const [name, { cid }] of Array.from(node.store.blocks))
        if (!node.store.pins.has(name)) {
          node.store.blocks.delete(name)
          yield cid
        }
    }
  })),
  inBlocks('gc leaves some', /gc removes every block/, (blocks, node) => ({
    gc: async function* (options) {
      const first = node.store.blocks.values().next().value
      for await (const cid of blocks.gc(options)) if (first === undefined || key(cid) !== key(first.cid)) yield cid
      if (first !== undefined) node.store.blocks.set(key(first.cid), first)
    }
  })),
  inBlocks(
    'gc removes what is put while it runs, and does not say so',
    /gc may run while others put/,
    (blocks, node) => ({
      gc: async function* (options) {
        const before = new Set(node.store.blocks.keys())
        yield* blocks.gc(options)
        for (const name of Array.from(node.store.blocks.keys()))
          if (!before.has(name) && !node.store.pins.has(name)) node.store.blocks.delete(name)
      }
    })
  ),
  inBlocks('put fails while gc runs', /gc may run while others put/, (blocks, node) => {
    let running = 0
    return {
      gc: async function* (options) {
        running++
        try {
          yield* blocks.gc(options)
        } finally {
          running--
        }
      },
      put: async (block, options) => {
        if (running > 0) throw node.error('OVERLOADED', 'blocks.put', 'gc is running')
        await blocks.put(block, options)
      }
    }
  }),
  inBlocks('a pin that is made while gc runs is forgotten', /gc may run while others pin/, (blocks, node) => ({
    gc: async function* (options) {
      const before = new Map(node.store.pins)
      yield* blocks.gc(options)
      if (before.size >= 25) {
        node.store.pins.clear()
        for (const [name, pin] of before) node.store.pins.set(name, pin)
      }
    }
  })),
  {
    ...inBlocks('pins are gone after reopening', /pins are there, and protect/, () => ({})),
    mutate: (node) => node,
    network: (network) => ({
      ...network,
      reopen: async (index) => {
        const again = (await network.reopen?.(index)) as FakeNode
        again.store.pins.clear()
        return again
      }
    })
  },
  {
    ...inBlocks('every pin is recursive after reopening', /pins are there, and protect/, () => ({})),
    mutate: (node) => node,
    network: (network) => ({
      ...network,
      reopen: async (index) => {
        const again = (await network.reopen?.(index)) as FakeNode
        for (const [name, { cid }] of again.store.pins) again.store.pins.set(name, { cid, recursive: true })
        return again
      }
    })
  },
  inBlocks('getDag gives children first', /getDag gives the root first/, (blocks) => ({
    getDag: async function* (root, options) {
      const all: Block[] = []
      for await (const block of blocks.getDag!(root, options)) all.push(block)
      yield* all.reverse()
    }
  })),
  inBlocks('getDag gives shared blocks twice', /getDag gives the root first/, (blocks, node) => ({
    getDag: async function* (root, options) {
      yield* blocks.getDag!(root, options)
      const last = [...below(node, root)].at(-1)
      if (last !== undefined && key(last) !== key(root)) yield* blocks.getDag!(last, options)
    }
  })),
  inBlocks('getDag leaves out what dag-pb nodes link to', /getDag gives/, (blocks) => ({
    getDag: async function* (root, options) {
      for await (const block of blocks.getDag!(root, options)) if (block.cid.code !== 0x70) yield block
    }
  })),
  inBlocks('getDag looks in the own store only', /getDag fetches a block that another/, (blocks) => ({
    getDag: (root, options) => blocks.getDag!(root, { ...options, local: true })
  })),
  inBlocks('getDag of a missing root is empty', /getDag with local: true/, (blocks, node) => ({
    getDag: async function* (root, options) {
      if (options?.local !== true || node.store.blocks.has(key(root))) yield* blocks.getDag!(root, options)
    }
  }))
]

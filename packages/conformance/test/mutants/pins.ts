import { linksOf } from '@p2pl/core/backend'
import { CID } from 'multiformats/cid'
import type { FakeBackend } from '../../src/fake/index.ts'
import { failure, fired, inBlocks, keyOf, runs, type Mutant } from './mutant.ts'

const missing = CID.parse('bafkreihdwdcefgh4dqkjv67uzcmw7ojee6xedzdetojuzjevtenxquvyku')

function* below(node: FakeBackend, root: CID): Generator<CID> {
  yield root
  const block = node.store.blocks.get(keyOf(root))
  if (block !== undefined) for (const link of linksOf(root, block.bytes) ?? []) yield* below(node, link)
}

export const pinMutants: readonly Mutant[] = [
  inBlocks('a recursive pin protects the root only', /recursive pin \(the default\)/, (blocks) => ({
    pin: async (cid, options) => await blocks.pin(cid, { ...options, recursive: false })
  })),
  inBlocks('a pin does not protect from delete', /protects the root/, (blocks, node) => ({
    delete: async (cid, options) => {
      await blocks.has(cid, options)
      node.store.blocks.delete(keyOf(cid))
    }
  })),
  inBlocks('unpin does nothing', /recursive pin \(the default\)/, (blocks) => ({
    unpin: async (_cid, options) => await blocks.unpin(missing, options)
  })),
  inBlocks('a direct pin protects everything', /a direct pin protects the root only/, (blocks, node) => ({
    delete: async (cid, options) => {
      for (const pin of node.store.pins.values())
        for (const held of below(node, pin.cid))
          if (keyOf(held) === keyOf(cid) && runs(node) && options?.signal?.aborted !== true)
            throw failure('PINNED', 'blocks.delete', 'held')
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
      for await (const pin of blocks.pins(options)) if (keyOf(pin.cid) === '') yield pin
    }
  })),
  inBlocks('every pin is listed as recursive', /pins\(\) lists the pins/, (blocks) => ({
    pins: async function* (options) {
      for await (const { cid } of blocks.pins(options)) yield { cid, recursive: true }
    }
  })),
  inBlocks('a recursive pin does not replace a direct one', /pins\(\) lists the pins/, (blocks, node) => ({
    pin: async (cid, options) => {
      const before = node.store.pins.get(keyOf(cid))
      await blocks.pin(cid, options)
      if (before !== undefined) node.store.pins.set(keyOf(cid), before)
    }
  })),
  inBlocks('pinning again fails', /pinning again, and unpinning/, (blocks, node) => ({
    pin: async (cid, options) => {
      if (runs(node) && node.store.pins.get(keyOf(cid))?.recursive === (options?.recursive ?? true))
        throw failure('ENGINE', 'blocks.pin', 'pinned already')
      await blocks.pin(cid, options)
    }
  })),
  inBlocks('unpinning what is not pinned fails', /pinning again, and unpinning/, (blocks, node) => ({
    unpin: async (cid, options) => {
      if (runs(node) && options?.signal === undefined && !node.store.pins.has(keyOf(cid)))
        throw failure('NOT_FOUND', 'blocks.unpin', 'not pinned')
      await blocks.unpin(cid, options)
    }
  })),
  inBlocks('pins are counted', /pinning again, and unpinning/, (blocks, node) => {
    const counts = new Map<string, number>()
    return {
      pin: async (cid, options) => {
        await blocks.pin(cid, options)
        counts.set(keyOf(cid), (counts.get(keyOf(cid)) ?? 0) + 1)
      },
      unpin: async (cid, options) => {
        const left = (counts.get(keyOf(cid)) ?? 1) - 1
        counts.set(keyOf(cid), Math.max(0, left))
        const pin = node.store.pins.get(keyOf(cid))
        await blocks.unpin(cid, options)
        if (left > 0 && pin !== undefined) node.store.pins.set(keyOf(cid), pin)
      }
    }
  }),
  inBlocks('unpin frees what other pins share', /that it shares with another/, (blocks, node) => {
    const freed = new Set<string>()
    return {
      unpin: async (cid, options) => {
        for (const held of below(node, cid)) freed.add(keyOf(held))
        await blocks.unpin(cid, options)
      },
      delete: async (cid, options) => {
        if (freed.has(keyOf(cid)) && runs(node) && options?.signal?.aborted !== true)
          node.store.blocks.delete(keyOf(cid))
        else await blocks.delete(cid, options)
      }
    }
  }),
  inBlocks('a pin fetches the root only', /fetches missing blocks/, (blocks, node) => ({
    pin: async (cid, options) => {
      await blocks.pin(cid, { ...options, recursive: false })
      if (options?.recursive !== false) node.store.pins.set(keyOf(cid), { cid, recursive: true })
    }
  })),
  inBlocks('a pin that failed is listed', /nobody has rejects/, (blocks, node) => ({
    pin: async (cid, options) => {
      try {
        await blocks.pin(cid, options)
      } catch (error) {
        if (node.store.blocks.has(keyOf(cid))) node.store.pins.set(keyOf(cid), { cid, recursive: true })
        throw error
      }
    }
  })),
  inBlocks('a pin of what is missing resolves', /nobody has rejects/, (blocks, node) => ({
    pin: async (cid, options) => {
      const missed = [...below(node, cid)].some((each) => !node.store.blocks.has(keyOf(each)))
      if (!missed || !runs(node) || options?.signal?.aborted === true) await blocks.pin(cid, options)
    }
  })),
  inBlocks('pins go by the whole CID', /a pin is by multihash/, (blocks, node) => ({
    delete: async (cid, options) => {
      const pin = node.store.pins.get(keyOf(cid))
      if (pin !== undefined && pin.cid.code !== cid.code) node.store.blocks.delete(keyOf(cid))
      else await blocks.delete(cid, options)
    }
  })),
  inBlocks('gc does not say what it removed', /gc removes every block/, (blocks) => ({
    gc: async function* (options) {
      for await (const cid of blocks.gc(options)) if (keyOf(cid) === '') yield cid
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
      for await (const cid of blocks.gc(options)) if (first === undefined || keyOf(cid) !== keyOf(first.cid)) yield cid
      if (first !== undefined) node.store.blocks.set(keyOf(first.cid), first)
    }
  })),
  inBlocks(
    'gc removes what is put while it runs, and does not say so',
    /gc may run while others put/,
    (blocks, node) => ({
      gc: async function* (options) {
        const before = new Set(node.store.blocks.keys())
        for await (const cid of blocks.gc(options)) if (before.has(keyOf(cid))) yield cid
      }
    })
  ),
  inBlocks('put fails while gc runs', /gc may run while others put/, (blocks) => {
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
      putMany: async (many, options) => {
        if (running > 0) throw failure('OVERLOADED', 'blocks.putMany', 'gc is running')
        await blocks.putMany(many, options)
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
        const again = (await network.reopen?.(index)) as FakeBackend
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
        const again = (await network.reopen?.(index)) as FakeBackend
        for (const [name, { cid }] of again.store.pins) again.store.pins.set(name, { cid, recursive: true })
        return again
      }
    })
  },
  inBlocks('maxBytes is not looked at', /a pin over maxBytes/, (blocks) => ({
    pin: async (cid, options) => await blocks.pin(cid, { ...options, maxBytes: undefined })
  })),
  inBlocks('a pin over maxBytes is made and then refused', /a pin over maxBytes/, (blocks) => ({
    pin: async (cid, options) => {
      await blocks.pin(cid, { ...options, maxBytes: undefined })
      await blocks.pin(cid, options)
    }
  })),
  inBlocks('a pin tells nothing of its progress', /pin tells how far/, (blocks) => ({
    pin: async (cid, options) => await blocks.pin(cid, { ...options, onProgress: undefined })
  })),
  inBlocks('progress counts blocks that are shared twice', /pin tells how far/, (blocks) => ({
    pin: async (cid, options) =>
      await blocks.pin(cid, {
        ...options,
        onProgress: ({ bytes, blocks: count }) => options?.onProgress?.({ bytes, blocks: count + (count > 3 ? 1 : 0) })
      })
  })),
  inBlocks('hints of a pin are not followed', /uses its hints/, (blocks) => ({
    pin: async (cid, options) => await blocks.pin(cid, { ...options, providers: undefined })
  })),
  inBlocks('an aborted pin is made all the same', /aborted midway is not made later/, (blocks, node) => ({
    pin: async (cid, options) => {
      if (fired(options) || !runs(node)) return await blocks.pin(cid, options)
      try {
        await blocks.pin(cid, options)
      } catch (error) {
        setTimeout(() => void blocks.pin(cid).catch(() => undefined), 20)
        throw error
      }
    }
  })),
  inBlocks('an aborted pin goes on protecting', /aborted midway is not made later/, (blocks, node) => {
    const held = new Set<string>()
    return {
      pin: async (cid, options) => {
        held.add(keyOf(cid))
        await blocks.pin(cid, options)
        held.delete(keyOf(cid))
      },
      delete: async (cid, options) => {
        if (held.has(keyOf(cid)) && runs(node) && !fired(options)) throw failure('PINNED', 'blocks.delete', 'held')
        await blocks.delete(cid, options)
      }
    }
  })
]

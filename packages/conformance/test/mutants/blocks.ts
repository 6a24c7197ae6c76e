import { CID } from 'multiformats/cid'
import type { Block } from '@p2pl/core/backend'
import { FakeNode, createFakeStore, fakeCapabilities } from '../../src/fake/index.ts'
import { key } from '../../src/kit/samples.ts'
import { linksOf } from '../../src/fake/dag.ts'
import { declaring, inBlocks, type Mutant } from './mutant.ts'

const megabyte = 1024 * 1024

export const blockMutants: readonly Mutant[] = [
  inBlocks('has is always true', /put, get, has and delete agree/, () => ({ has: async () => true })),
  inBlocks('delete of what is not there fails', /put, get, has and delete agree/, (blocks, node) => ({
    delete: async (cid, options) => {
      if (!(await blocks.has(cid))) throw node.error('NOT_FOUND', 'blocks.delete', 'not here')
      await blocks.delete(cid, options)
    }
  })),
  inBlocks('a second put fails', /put, get, has and delete agree/, (blocks, node) => ({
    put: async (block, options) => {
      if (node.run !== undefined && (await blocks.has(block.cid)))
        throw node.error('ENGINE', 'blocks.put', 'there already')
      await blocks.put(block, options)
    }
  })),
  inBlocks('delete does nothing', /put, get, has and delete agree/, (blocks) => ({
    delete: async (_cid, options) => void (await blocks.has(CID.parse('bafkqaaa'), options))
  })),
  inBlocks('a deleted block cannot be put again', /put, get, has and delete agree/, (blocks) => {
    const gone = new Set<string>()
    return {
      delete: async (cid, options) => {
        await blocks.delete(cid, options)
        gone.add(key(cid))
      },
      put: async (block, options) => {
        if (!gone.has(key(block.cid))) await blocks.put(block, options)
      },
      get: async (cid, options) => await blocks.get(cid, { ...options, local: true })
    }
  }),
  inBlocks('a local get asks others', /local: true of a block that is not stored/, (blocks) => ({
    get: async (cid, options) => await blocks.get(cid, { ...options, local: false })
  })),
  inBlocks('a local get finds nothing', /local: true gives what is stored/, (blocks, node) => ({
    get: async (cid, options) => {
      if (options?.local === true && node.run !== undefined) throw node.error('NOT_FOUND', 'blocks.get', 'not here')
      return await blocks.get(cid, options)
    }
  })),
  inBlocks(
    'get asks others though remote is not declared',
    /`remote` is not declared/,
    (blocks, node) => ({
      get: async (cid, options) => {
        for (const { store } of node.network.neighbours(node.store.id)) {
          const found = store.blocks.get(key(cid))
          if (found !== undefined && options?.local !== true) return found.bytes.slice()
        }
        return await blocks.get(cid, options)
      }
    }),
    declaring('blocks', { remote: false })
  ),
  inBlocks('blocks are kept by their whole CID', /found by its multihash/, (blocks) => {
    const names = new Map<string, string>()
    return {
      put: async (block, options) => {
        await blocks.put(block, options)
        names.set(key(block.cid), block.cid.toString())
      },
      has: async (cid, options) => {
        const name = names.get(key(cid))
        return (name === undefined || name === cid.toString()) && (await blocks.has(cid, options))
      }
    }
  }),
  inBlocks('delete goes by the whole CID', /found by its multihash/, (blocks) => {
    const names = new Map<string, string>()
    return {
      put: async (block, options) => {
        await blocks.put(block, options)
        names.set(key(block.cid), block.cid.toString())
      },
      delete: async (cid, options) => {
        const name = names.get(key(cid))
        if (name === undefined || name === cid.toString()) await blocks.delete(cid, options)
      }
    }
  }),
  inBlocks('CIDs of version 0 are refused', /foreign CIDs|found by its multihash/, (blocks, node) => ({
    put: async (block, options) => {
      if (block.cid.version === 0) throw node.error('INVALID_ARGUMENT', 'blocks.put', 'version 1 only')
      await blocks.put(block, options)
    }
  })),
  inBlocks('only raw blocks are taken', /foreign CIDs|found by its multihash/, (blocks, node) => ({
    put: async (block, options) => {
      if (block.cid.code === 0x71) throw node.error('UNSUPPORTED', 'blocks.put', 'raw only')
      await blocks.put(block, options)
    }
  })),
  inBlocks('sha2-512 is declared and refused', /sha2-512 blocks/, (blocks, node) => ({
    put: async (block, options) => {
      if (block.cid.multihash.code === 0x13) throw node.error('UNSUPPORTED', 'blocks.put', 'sha2-256 only')
      await blocks.put(block, options)
    }
  })),
  {
    ...inBlocks('a hash that is not declared is taken', /hash that is not declared/, () => ({})),
    mutate: (node) => {
      const { capabilities } = declaring('blocks', { hashes: [0x12] })
      return new Proxy(node, {
        get: (target, name) => {
          if (name === 'capabilities') return capabilities
          const value: unknown = Reflect.get(target, name, target)
          return typeof value === 'function' ? (value.bind(target) as unknown) : value
        }
      })
    }
  },
  inBlocks('the empty block is refused', /empty block/, (blocks, node) => ({
    put: async (block, options) => {
      if (block.bytes.byteLength === 0) throw node.error('INVALID_ARGUMENT', 'blocks.put', 'empty')
      await blocks.put(block, options)
    }
  })),
  inBlocks('the empty block is never found', /empty block/, (blocks, node) => ({
    get: async (cid, options) => {
      const bytes = await blocks.get(cid, options)
      if (bytes.byteLength === 0) throw node.error('NOT_FOUND', 'blocks.get', 'not here')
      return bytes
    }
  })),
  inBlocks('large blocks are cut', /block of maxBlockBytes/, (blocks) => ({
    get: async (cid, options) => (await blocks.get(cid, options)).subarray(0, megabyte)
  })),
  {
    ...inBlocks('blocks over the declared size are taken', /block of maxBlockBytes/, () => ({})),
    ...declaring('blocks', { maxBlockBytes: 2 * megabyte }),
    mutate: (node) => {
      const declared = {
        ...fakeCapabilities,
        blocks: { ...fakeCapabilities.blocks!, maxBlockBytes: megabyte + 64 * 1024 }
      }
      return new Proxy(node, {
        get: (target, name) => {
          if (name === 'capabilities') return declared
          const value: unknown = Reflect.get(target, name, target)
          return typeof value === 'function' ? (value.bind(target) as unknown) : value
        }
      })
    }
  },
  inBlocks('putMany forgets to look at sizes', /block of maxBlockBytes/, (blocks, node) => ({
    putMany: async (many, options) => {
      if (!Array.isArray(many) || many.length !== 1) return await blocks.putMany(many, options)
      for (const block of many as Block[]) node.store.blocks.set(key(block.cid), block)
    }
  })),
  inBlocks('the declared size is smaller than any backend may declare', /block of maxBlockBytes/, () => ({}), {
    ...declaring('blocks', { maxBlockBytes: megabyte })
  }),
  inBlocks('putMany takes arrays only', /putMany stores all blocks/, (blocks) => ({
    putMany: async (many, options) => await blocks.putMany(Array.isArray(many) ? many : [], options)
  })),
  inBlocks('putMany takes at most 256 blocks', /putMany stores all blocks/, (blocks) => ({
    putMany: async (many, options) =>
      await blocks.putMany(
        (async function* () {
          let count = 0
          for await (const block of many) if (++count <= 256) yield block
        })(),
        options
      )
  })),
  inBlocks('putMany resolves before its blocks are stored', /putMany stores all blocks/, (blocks) => ({
    putMany: async (many, options) => {
      void blocks.putMany(many, options).catch(() => undefined)
      await blocks.has(CID.parse('bafkqaaa'), options)
    }
  })),
  inBlocks('putMany swallows the failure of its iterable', /iterable that fails/, (blocks) => ({
    putMany: async (many, options) =>
      await blocks.putMany(
        (async function* () {
          try {
            yield* many
          } catch {
            // swallowed
          }
        })(),
        options
      )
  })),
  inBlocks('putMany throws what its iterable threw', /iterable that fails/, (blocks) => ({
    putMany: async (many, options) => {
      let reason: unknown
      try {
        await blocks.putMany(
          (async function* () {
            try {
              yield* many
            } catch (error) {
              reason = error
              throw error
            }
          })(),
          options
        )
      } catch (error) {
        throw reason ?? error
      }
    }
  })),
  inBlocks('has waits for the network', /do not wait for the network/, (blocks, node) => ({
    has: async (cid, options) => {
      if (node.run !== undefined && !node.store.blocks.has(key(cid)) && options?.signal === undefined)
        return (await blocks.get(cid, options)).byteLength >= 0
      return await blocks.has(cid, options)
    }
  })),
  {
    ...inBlocks('nothing is there after reopening', /what put has resolved for is there/, () => ({})),
    mutate: (node) => node,
    network: (network) => ({
      ...network,
      reopen: async (index) => {
        const node = network.backends[index] as FakeNode
        return new FakeNode(node.network, { ...createFakeStore(), id: node.store.id }, node.capabilities, () => false)
      }
    })
  },
  {
    ...inBlocks('deleted blocks are back after reopening', /what put has resolved for is there/, (blocks, node) => {
      const gone: Block[] = []
      return {
        delete: async (cid, options) => {
          const block = node.store.blocks.get(key(cid))
          await blocks.delete(cid, options)
          if (block !== undefined) gone.push(block)
          afterStop.set(node.store.id, gone)
        }
      }
    }),
    network: (network) => ({
      ...network,
      reopen: async (index) => {
        const node = network.backends[index] as FakeNode
        for (const block of afterStop.get(node.store.id) ?? []) node.store.blocks.set(key(block.cid), block)
        return (await network.reopen?.(index)) as FakeNode
      }
    })
  }
]

const afterStop = new Map<string, Block[]>()

export const exchangeMutants: readonly Mutant[] = [
  inBlocks('get looks in the own store only', /get fetches what another/, (blocks) => ({
    get: async (cid, options) => await blocks.get(cid, { ...options, local: true })
  })),
  inBlocks('what is fetched is not kept', /get fetches what another/, (blocks, node) => ({
    get: async (cid, options) => {
      const had = node.store.blocks.has(key(cid))
      const bytes = await blocks.get(cid, options)
      if (!had) node.store.blocks.delete(key(cid))
      return bytes
    }
  })),
  inBlocks(
    'what is fetched is kept though it is not declared',
    /get fetches what another/,
    (blocks, node) => ({
      get: async (cid, options) => {
        const bytes = await blocks.get(cid, options)
        node.store.blocks.set(key(cid), { cid, bytes })
        return bytes
      }
    }),
    declaring('blocks', { keepsFetched: false })
  ),
  inBlocks('a get does not see what appears later', /get waits until/, (blocks, node) => ({
    get: async (cid, options) => {
      const there = [node, ...node.network.neighbours(node.store.id)].some(({ store }) => store.blocks.has(key(cid)))
      if (there || options?.local === true || node.run === undefined || options?.signal?.aborted === true)
        return await blocks.get(cid, options)
      return await blocks.get(CID.createV1(0x55, missing.multihash), options)
    }
  })),
  inBlocks('others cannot fetch large blocks', /largest block travels/, (blocks, node) => ({
    get: async (cid, options) => {
      const own = node.store.blocks.has(key(cid))
      const bytes = await blocks.get(cid, options)
      if (!own && bytes.byteLength > megabyte) throw node.error('TOO_LARGE', 'blocks.get', 'too large')
      return bytes
    }
  })),
  inBlocks('a useless hint is the only one that is asked', /providers is a hint/, (blocks, node) => ({
    get: async (cid, options) => {
      const [first] = options?.providers ?? []
      if (
        first !== undefined &&
        first.id !== node.store.id &&
        node.network.nodes.get(first.id)?.store.blocks.has(key(cid)) !== true
      )
        throw node.error('NOT_FOUND', 'blocks.get', 'the provider does not have it')
      return await blocks.get(cid, options)
    }
  })),
  inBlocks('a hostile hint is an error', /providers is a hint/, (blocks, node) => ({
    get: async (cid, options) => {
      if (options?.providers?.some(({ id }) => !id.startsWith('fake-')) === true)
        throw node.error('INVALID_ARGUMENT', 'blocks.get', 'a provider has no id')
      return await blocks.get(cid, options)
    }
  })),
  inBlocks('hints are not followed though the fixture says so', /follows a hint/, (blocks) => ({
    get: async (cid, { providers: _providers, ...options } = {}) => await blocks.get(cid, options)
  })),
  inBlocks('deleted blocks are served', /not stored any more/, (blocks, node) => {
    const served = new Map<string, Uint8Array>()
    return {
      put: async (block, options) => {
        await blocks.put(block, options)
        everything.set(`${node.network.nodes.size} ${key(block.cid)}`, block.bytes)
      },
      get: async (cid, options) => {
        const old = everything.get(`${node.network.nodes.size} ${key(cid)}`) ?? served.get(key(cid))
        if (
          old !== undefined &&
          node.run !== undefined &&
          options?.local !== true &&
          !node.store.blocks.has(key(cid)) &&
          options?.signal?.aborted !== true
        )
          node.store.blocks.set(key(cid), { cid, bytes: old })
        return await blocks.get(cid, options)
      }
    }
  })
]

const everything = new Map<string, Uint8Array>()
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
  inBlocks('pinning again fails', /pinning again and unpinning/, (blocks, node) => ({
    pin: async (cid, options) => {
      if (node.run !== undefined && node.store.pins.get(key(cid))?.recursive === (options?.recursive ?? true))
        throw node.error('ENGINE', 'blocks.pin', 'pinned already')
      await blocks.pin(cid, options)
    }
  })),
  inBlocks('unpinning what is not pinned fails', /pinning again and unpinning/, (blocks, node) => ({
    unpin: async (cid, options) => {
      if (node.run !== undefined && options?.signal === undefined && !node.store.pins.has(key(cid)))
        throw node.error('NOT_FOUND', 'blocks.unpin', 'not pinned')
      await blocks.unpin(cid, options)
    }
  })),
  inBlocks('pins are counted', /pinning again and unpinning/, (blocks, node) => {
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
  inBlocks('unpin frees what other pins share', /shares with it/, (blocks, node) => {
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
  inBlocks('a pin fetches the root only', /fetches what is missing/, (blocks, node) => ({
    pin: async (cid, options) => {
      await blocks.pin(cid, { ...options, recursive: false })
      if (options?.recursive !== false) node.store.pins.set(key(cid), { cid, recursive: true })
    }
  })),
  inBlocks('a pin that failed is listed', /cannot be had rejects/, (blocks, node) => ({
    pin: async (cid, options) => {
      try {
        await blocks.pin(cid, options)
      } catch (error) {
        if (node.store.blocks.has(key(cid))) node.store.pins.set(key(cid), { cid, recursive: true })
        throw error
      }
    }
  })),
  inBlocks('a pin of what is missing resolves', /cannot be had rejects/, (blocks, node) => ({
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
  inBlocks('getDag looks in the own store only', /getDag fetches what another/, (blocks) => ({
    getDag: (root, options) => blocks.getDag!(root, { ...options, local: true })
  })),
  inBlocks('getDag of a missing root is empty', /getDag with local: true/, (blocks, node) => ({
    getDag: async function* (root, options) {
      if (options?.local !== true || node.store.blocks.has(key(root))) yield* blocks.getDag!(root, options)
    }
  }))
]

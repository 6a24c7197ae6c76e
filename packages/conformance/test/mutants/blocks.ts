import type { Block } from '@p2pl/core/backend'
import { CID } from 'multiformats/cid'
import { createFakeStore, fakeBackend, fakeCapabilities, type FakeBackend } from '../../src/fake/index.ts'
import { changed, declaring, failure, inBlocks, keyOf, putting, runs, type Mutant } from './mutant.ts'

const megabyte = 1024 * 1024
const afterStop = new Map<string, Block[]>()

export const blockMutants: readonly Mutant[] = [
  inBlocks('has is always true', /put, get, has and delete agree/, () => ({ has: async () => true })),
  inBlocks('delete of what is not there fails', /put, get, has and delete agree/, (blocks) => ({
    delete: async (cid, options) => {
      if (!(await blocks.has(cid))) throw failure('NOT_FOUND', 'blocks.delete', 'not here')
      await blocks.delete(cid, options)
    }
  })),
  putting('a second put fails', /put, get, has and delete agree/, async ({ cid }, next, { store }) => {
    if (store.blocks.has(keyOf(cid))) throw failure('ENGINE', 'blocks.putMany', 'there already')
    await next()
  }),
  inBlocks('delete does nothing', /put, get, has and delete agree/, (blocks) => ({
    delete: async (_cid, options) => void (await blocks.has(CID.parse('bafkqaaa'), options))
  })),
  inBlocks('a deleted block cannot be put again', /put, get, has and delete agree/, (blocks) => {
    const gone = new Set<string>()
    return {
      delete: async (cid, options) => {
        await blocks.delete(cid, options)
        gone.add(keyOf(cid))
      },
      putMany: async (many, options) => {
        for (const block of many) if (!gone.has(keyOf(block.cid))) await blocks.putMany([block], options)
      },
      get: async (cid, options) => await blocks.get(cid, { ...options, local: true })
    }
  }),
  inBlocks('a local get asks others', /local: true of a block that is not stored/, (blocks) => ({
    get: async (cid, options) => await blocks.get(cid, { ...options, local: false })
  })),
  inBlocks('a local get finds nothing', /local: true gives a stored/, (blocks, node) => ({
    get: async (cid, options) => {
      if (options?.local === true && runs(node)) throw failure('NOT_FOUND', 'blocks.get', 'not here')
      return await blocks.get(cid, options)
    }
  })),
  inBlocks(
    'get asks others though remote is not declared',
    /`remote` is not declared/,
    (blocks, node) => ({
      get: async (cid, options) => {
        for (const { store } of node.network.connected(node.store.id)) {
          const found = store.blocks.get(keyOf(cid))
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
      putMany: async (many, options) => {
        await blocks.putMany(many, options)
        for (const { cid } of many) names.set(keyOf(cid), cid.toString())
      },
      has: async (cid, options) => {
        const name = names.get(keyOf(cid))
        return (name === undefined || name === cid.toString()) && (await blocks.has(cid, options))
      }
    }
  }),
  inBlocks('delete goes by the whole CID', /found by its multihash/, (blocks) => {
    const names = new Map<string, string>()
    return {
      putMany: async (many, options) => {
        await blocks.putMany(many, options)
        for (const { cid } of many) names.set(keyOf(cid), cid.toString())
      },
      delete: async (cid, options) => {
        const name = names.get(keyOf(cid))
        if (name === undefined || name === cid.toString()) await blocks.delete(cid, options)
      }
    }
  }),
  putting('CIDs of version 0 are refused', /foreign CIDs|found by its multihash/, async ({ cid }, next) => {
    if (cid.version === 0) throw failure('INVALID_ARGUMENT', 'blocks.putMany', 'version 1 only')
    await next()
  }),
  putting('only raw blocks are taken', /foreign CIDs|found by its multihash/, async ({ cid }, next) => {
    if (cid.code === 0x71) throw failure('UNSUPPORTED', 'blocks.putMany', 'raw only')
    await next()
  }),
  putting('sha2-512 is declared and refused', /sha2-512 blocks/, async ({ cid }, next) => {
    if (cid.multihash.code === 0x13) throw failure('UNSUPPORTED', 'blocks.putMany', 'sha2-256 only')
    await next()
  }),
  putting(
    'a digest that is cut short is taken',
    /digest that is cut short/,
    async ({ cid, bytes }, next, { store }) => {
      if (cid.multihash.digest.byteLength < 32) store.blocks.set(keyOf(cid), { cid, bytes })
      else await next()
    }
  ),
  {
    ...inBlocks('a hash that is not declared is taken', /hash that is not declared/, () => ({})),
    mutate: (node) => {
      const { capabilities } = declaring('blocks', { hashes: [0x12] })
      return changed(node, { capabilities: capabilities })
    }
  },
  putting('the empty block is refused', /empty block/, async ({ bytes }, next) => {
    if (bytes.byteLength === 0) throw failure('INVALID_ARGUMENT', 'blocks.putMany', 'empty')
    await next()
  }),
  inBlocks('the empty block is never found', /empty block/, (blocks) => ({
    get: async (cid, options) => {
      const bytes = await blocks.get(cid, options)
      if (bytes.byteLength === 0) throw failure('NOT_FOUND', 'blocks.get', 'not here')
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
        blocks: { ...fakeCapabilities.blocks, maxBlockBytes: megabyte + 64 * 1024 }
      }
      return changed(node, { capabilities: declared })
    }
  },
  inBlocks('the declared size is smaller than any backend may declare', /capabilities have the values/, () => ({}), {
    ...declaring('blocks', { maxBlockBytes: megabyte })
  }),
  inBlocks('putMany takes at most 256 blocks', /putMany stores every block/, (blocks) => ({
    putMany: async (many, options) => await blocks.putMany(Array.isArray(many) ? many.slice(0, 256) : many, options)
  })),
  inBlocks('putMany of nothing fails', /putMany stores every block/, (blocks, node) => ({
    putMany: async (many, options) => {
      if (many.length === 0 && runs(node)) throw failure('INVALID_ARGUMENT', 'blocks.putMany', 'nothing to store')
      await blocks.putMany(many, options)
    }
  })),
  inBlocks('putMany resolves before its blocks are stored', /putMany stores every block/, (blocks) => ({
    putMany: async (many, options) => {
      void blocks.putMany(many, options).catch(() => undefined)
      await blocks.has(CID.parse('bafkqaaa'), options)
    }
  })),
  inBlocks('putMany takes any iterable', /anything but an array/, (blocks) => ({
    putMany: async (many, options) =>
      await blocks.putMany(
        many !== null && typeof many === 'object' && Symbol.iterator in many ? [...many] : many,
        options
      )
  })),
  inBlocks('putMany stores the blocks before a wrong one', /anything but an array/, (blocks) => ({
    putMany: async (many, options) => {
      for (const block of Array.isArray(many) ? (many as Block[]) : [undefined]) await blocks.putMany([block!], options)
    }
  })),
  inBlocks('has waits for the network', /do not wait for the network/, (blocks, node) => ({
    has: async (cid, options) => {
      if (runs(node) && !node.store.blocks.has(keyOf(cid)) && options?.signal === undefined)
        return (await blocks.get(cid, options)).byteLength >= 0
      return await blocks.has(cid, options)
    }
  })),
  {
    ...inBlocks('nothing is there after reopening', /a block whose put resolved, and/, () => ({})),
    mutate: (node) => node,
    network: (network) => ({
      ...network,
      reopen: async (index) => {
        const node = network.backends[index] as FakeBackend
        return fakeBackend(node.network, { ...createFakeStore(), id: node.store.id }, node)
      }
    })
  },
  {
    ...inBlocks('deleted blocks are back after reopening', /a block whose put resolved, and/, (blocks, node) => {
      const gone: Block[] = []
      return {
        delete: async (cid, options) => {
          const block = node.store.blocks.get(keyOf(cid))
          await blocks.delete(cid, options)
          if (block !== undefined) gone.push(block)
          afterStop.set(node.store.id, gone)
        }
      }
    }),
    network: (network) => ({
      ...network,
      reopen: async (index) => {
        const node = network.backends[index] as FakeBackend
        for (const block of afterStop.get(node.store.id) ?? []) node.store.blocks.set(keyOf(block.cid), block)
        return (await network.reopen?.(index)) as FakeBackend
      }
    })
  }
]

import { CID } from 'multiformats/cid'
import type { Block } from '@p2pl/core/backend'
import { FakeNode, createFakeStore, fakeCapabilities } from '../../src/fake/index.ts'
import { key } from '../../src/kit/samples.ts'
import { declaring, inBlocks, type Mutant } from './mutant.ts'

const megabyte = 1024 * 1024
const afterStop = new Map<string, Block[]>()

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
  inBlocks('a local get finds nothing', /local: true gives a stored/, (blocks, node) => ({
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
    ...inBlocks('nothing is there after reopening', /a block whose put resolved is there/, () => ({})),
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
    ...inBlocks('deleted blocks are back after reopening', /a block whose put resolved is there/, (blocks, node) => {
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

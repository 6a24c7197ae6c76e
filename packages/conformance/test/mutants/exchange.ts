import { CID } from 'multiformats/cid'
import { key } from '../../src/kit/samples.ts'
import { declaring, inBlocks, type Mutant } from './mutant.ts'

const everything = new Map<string, Uint8Array>()
const missing = CID.parse('bafkreihdwdcefgh4dqkjv67uzcmw7ojee6xedzdetojuzjevtenxquvyku')
const megabyte = 1024 * 1024

export const exchangeMutants: readonly Mutant[] = [
  inBlocks('get looks in the own store only', /get fetches a block that another/, (blocks) => ({
    get: async (cid, options) => await blocks.get(cid, { ...options, local: true })
  })),
  inBlocks('what is fetched is not kept', /get fetches a block that another/, (blocks, node) => ({
    get: async (cid, options) => {
      const had = node.store.blocks.has(key(cid))
      const bytes = await blocks.get(cid, options)
      if (!had) node.store.blocks.delete(key(cid))
      return bytes
    }
  })),
  inBlocks(
    'what is fetched is kept though it is not declared',
    /get fetches a block that another/,
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
  inBlocks('deleted blocks are served', /a deleted block is not served/, (blocks, node) => {
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

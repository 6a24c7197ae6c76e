import { CID } from 'multiformats/cid'
import { declaring, failure, inBlocks, keyOf, runs, type Mutant } from './mutant.ts'

const everything = new Map<string, Uint8Array>()
const missing = CID.parse('bafkreihdwdcefgh4dqkjv67uzcmw7ojee6xedzdetojuzjevtenxquvyku')
const megabyte = 1024 * 1024

export const exchangeMutants: readonly Mutant[] = [
  inBlocks('get looks in the own store only', /get fetches a block that another/, (blocks) => ({
    get: async (cid, options) => await blocks.get(cid, { ...options, local: true })
  })),
  inBlocks('what is fetched is not kept', /get fetches a block that another/, (blocks, node) => ({
    get: async (cid, options) => {
      const had = node.store.blocks.has(keyOf(cid))
      const bytes = await blocks.get(cid, options)
      if (!had) node.store.blocks.delete(keyOf(cid))
      return bytes
    }
  })),
  inBlocks(
    'what is fetched is kept though it is not declared',
    /get fetches a block that another/,
    (blocks, node) => ({
      get: async (cid, options) => {
        const bytes = await blocks.get(cid, options)
        node.store.blocks.set(keyOf(cid), { cid, bytes })
        return bytes
      }
    }),
    declaring('blocks', { keepsFetched: false })
  ),
  inBlocks('a get does not see what appears later', /get waits until/, (blocks, node) => ({
    get: async (cid, options) => {
      const there = [node, ...node.network.connected(node.store.id)].some(({ store }) => store.blocks.has(keyOf(cid)))
      if (there || options?.local === true || !runs(node) || options?.signal?.aborted === true)
        return await blocks.get(cid, options)
      return await blocks.get(CID.createV1(0x55, missing.multihash), options)
    }
  })),
  inBlocks('others cannot fetch large blocks', /largest block travels/, (blocks, node) => ({
    get: async (cid, options) => {
      const own = node.store.blocks.has(keyOf(cid))
      const bytes = await blocks.get(cid, options)
      if (!own && bytes.byteLength > megabyte) throw failure('TOO_LARGE', 'blocks.get', 'too large')
      return bytes
    }
  })),
  inBlocks('a useless hint is the only one that is asked', /providers is a hint/, (blocks, node) => ({
    get: async (cid, options) => {
      const [first] = options?.providers ?? []
      if (
        first !== undefined &&
        first.id !== node.store.id &&
        node.network.engines.get(first.id)?.store.blocks.has(keyOf(cid)) !== true
      )
        throw failure('NOT_FOUND', 'blocks.get', 'the provider does not have it')
      return await blocks.get(cid, options)
    }
  })),
  inBlocks('a hostile hint is an error', /providers is a hint/, (blocks) => ({
    get: async (cid, options) => {
      if (options?.providers?.some(({ id }) => !id.startsWith('fake-')) === true)
        throw failure('INVALID_ARGUMENT', 'blocks.get', 'a provider has an odd id')
      return await blocks.get(cid, options)
    }
  })),
  inBlocks('hints are not followed though the fixture says so', /follows a hint/, (blocks) => ({
    get: async (cid, { providers: _providers, ...options } = {}) => await blocks.get(cid, options)
  })),
  inBlocks('deleted blocks are served', /a deleted block is not served/, (blocks, node) => {
    const served = new Map<string, Uint8Array>()
    return {
      putMany: async (many, options) => {
        await blocks.putMany(many, options)
        for (const { cid, bytes } of many) everything.set(`${node.network.engines.size} ${keyOf(cid)}`, bytes)
      },
      get: async (cid, options) => {
        const old = everything.get(`${node.network.engines.size} ${keyOf(cid)}`) ?? served.get(keyOf(cid))
        if (
          old !== undefined &&
          runs(node) &&
          options?.local !== true &&
          !node.store.blocks.has(keyOf(cid)) &&
          options?.signal?.aborted !== true
        )
          node.store.blocks.set(keyOf(cid), { cid, bytes: old })
        return await blocks.get(cid, options)
      }
    }
  }),
  inBlocks('get with remote: true looks in the own store', /get with remote: true asks others/, (blocks) => ({
    get: async (cid, options) => await blocks.get(cid, { ...options, remote: undefined })
  })),
  inBlocks('a good block does not replace a wrong one', /replaces a wrong one/, (blocks, node) => ({
    get: async (cid, options) => {
      const before = node.store.blocks.get(keyOf(cid))
      const bytes = await blocks.get(cid, options)
      if (before !== undefined) node.store.blocks.set(keyOf(cid), before)
      return bytes
    }
  })),
  inBlocks(
    'get with remote: true is a look in the own store where others are not asked',
    /refused where `remote` is not declared/,
    (blocks) => ({ get: async (cid, options) => await blocks.get(cid, { ...options, remote: undefined }) }),
    declaring('blocks', { remote: false })
  ),
  inBlocks('local and remote together are local', /refused where `remote` is not declared/, (blocks) => ({
    get: async (cid, options) =>
      await blocks.get(cid, options?.local === true ? { ...options, remote: undefined } : options)
  }))
]

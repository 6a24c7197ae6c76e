import { aroundCalls, type Backend } from '@p2pl/core/backend'

/** Reports how many blocks have come from other peers so far. A block in the store is not fetched, so it does not count. */
export function counting(backend: Backend, onBlock: (blocks: number) => void): Backend {
  let blocks = 0
  return aroundCalls({
    call: async ({ operation, cid, options }, run) => {
      if (cid === undefined || operation !== 'blocks.get' || (options as { local?: boolean }).local === true)
        return await run()
      const here = await backend.blocks?.has(cid, { signal: options.signal })
      const result = await run()
      if (here !== true) onBlock(++blocks)
      return result
    }
  })(backend)
}

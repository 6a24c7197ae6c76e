import type { Block } from '@p2pl/core/backend'
import { Fetcher, StoredBlocks } from '@p2pl/embedded'
import { dial } from './engine/connections/dial.ts'
import { findProviders } from './engine/dht/queries.ts'
import type { Engine } from './engine/engine.ts'

/** The most providers that one search connects to. */
const maxProviders = 3

/** Reads and writes blocks in the local store, and exchanges them with other peers. */
export function blockHooks({ libp2p, dht, exchange, stores }: Engine): StoredBlocks {
  const fetcher = new Fetcher({
    want: (cid, signal, root) => exchange.want(cid, signal, root),
    dial: (peer, signal) => dial(libp2p, peer, signal),
    search: async ({ cid }, found, signal) => {
      if (dht === undefined) return
      let count = 0
      for await (const provider of findProviders(libp2p, dht, cid, signal)) {
        found((until) => dial(libp2p, provider, until))
        if (++count === maxProviders) return
      }
    }
  })
  return new StoredBlocks({
    blocks: stores.blocks,
    pins: stores.pins,
    fetch: (cid, options) => fetcher.fetch(cid, options),
    stored: (blocks: readonly Block[]) => exchange.notify(blocks)
  })
}

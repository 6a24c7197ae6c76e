import { Fetcher, StoredBlocks, type Pins, type Table } from '@p2pl/embedded'
import type { Engine } from './engine/engine.ts'

/** `@p2pl/embedded` supplies the store, pins and `gc`. The engine only fetches. */
export function blockHooks(engine: Engine, blocks: Table, pins: Pins): StoredBlocks {
  const fetcher = new Fetcher({
    want: (cid, signal) => engine.exchange.want(cid, signal),
    // Hints may come from strangers. This engine dials only addresses that the app gives.
    dial: async () => undefined
  })
  return new StoredBlocks({
    blocks,
    pins,
    fetch: (cid, options) => fetcher.fetch(cid, options),
    stored: (many) => engine.exchange.stored(many)
  })
}

import { Fetcher, StoredBlocks, type Pins } from '@p2pl/embedded'
import type { Bucket } from './bucket.ts'
import type { Exchange } from './exchange.ts'

/** `@p2pl/embedded` brings pins, `gc`, and one search for each block; the bucket stores. */
export function blockHooks(bucket: Bucket, exchange: Exchange, pins: Pins): StoredBlocks {
  const fetcher = new Fetcher({
    want: (cid, signal) => exchange.want(cid, signal),
    // The index knows more than a hint.
    dial: async () => undefined
  })
  return new StoredBlocks({
    blocks: bucket,
    pins,
    fetch: (cid, options) => fetcher.fetch(cid, options),
    stored: () => undefined
  })
}

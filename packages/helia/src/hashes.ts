import { CID } from 'multiformats/cid'
import { sha256, sha512 } from 'multiformats/hashes/sha2'
import type { MultihashHasher } from 'multiformats/hashes/interface'
import type { ServedBlocks } from './bitswap.ts'
import type { Table } from './stores.ts'

/** What blocks may be addressed by. */
export const hashers: readonly MultihashHasher[] = [sha256, sha512]

/** The table of blocks as the exchange reads it. */
export function servedBlocks(blocks: Table): ServedBlocks {
  return {
    has: (cid) => blocks.has(cid.multihash.bytes),
    get: async function* (cid) {
      const bytes = await blocks.get(cid.multihash.bytes)
      if (bytes !== undefined) yield bytes
    }
  }
}

/** A CID of whatever version of multiformats, as one of ours. */
export function ownCid(cid: CID): CID | undefined {
  return CID.asCID(cid) ?? undefined
}

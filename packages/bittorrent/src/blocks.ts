import type { GetBlockOptions } from '@p2pl/core/backend'
import { Blocks, type Door } from '@p2pl/embedded'
import type { CID } from 'multiformats/cid'
import { maxBlockBytes, type Engine } from './engine.ts'
import { contentKey } from './overlay/keys.ts'
import { dialable, publishersIn } from './peers.ts'
import { hashCodes } from './tools/hashes.ts'

const maxHints = 16

/** Blocks in the own store; others' by the exchange among peers, and out of the torrents of their files. */
export function blocksOf(door: Door<Engine>): Blocks<Engine> {
  return new Blocks(door, {
    maxBlockBytes,
    hashes: hashCodes,
    fetch,
    stored: ({ overlay: { server, client } }, blocks) => {
      server.stored(blocks.map(({ cid }) => cid.multihash.bytes))
      for (const { cid, bytes } of blocks) client.resolve(cid.multihash.bytes, bytes)
    }
  })
}

async function fetch(
  { overlay: { fetcher, links }, torrents }: Engine,
  cid: CID,
  options: GetBlockOptions | undefined,
  signal: AbortSignal
): Promise<Uint8Array> {
  const { providers = [], root } = options ?? {}
  const named = providers.slice(0, maxHints)
  // A peer that has said in the DHT which torrent the file is need not be there any more.
  const publishers = named.flatMap((peer) => [...publishersIn(peer), links.get(peer.id)?.publicKey ?? []].flat())
  return await fetcher.fetch(
    cid.multihash.bytes,
    {
      hints: named.flatMap(dialable),
      // Most peers that have a part of a file provide its root only.
      keys: [cid, ...(root === undefined ? [] : [root])].map(({ multihash }) => contentKey(multihash.bytes)),
      elsewhere:
        root === undefined || root.equals(cid)
          ? undefined
          : async (searching) => await torrents.sessions.leaf(cid, { root, publishers }, searching)
    },
    signal
  )
}

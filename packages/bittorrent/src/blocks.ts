import { sleep } from '@p2pl/core/backend'
import { Fetcher, StoredBlocks, type FetchOptions } from '@p2pl/embedded'
import type { CID } from 'multiformats/cid'
import type { Stores } from './engine/stores.ts'
import type { Client } from './overlay/exchange/client.ts'
import type { Server } from './overlay/exchange/server.ts'
import { contentKey } from './overlay/keys.ts'
import type { Dialler } from './overlay/links/dialler.ts'
import type { Links } from './overlay/links/links.ts'
import type { Rendezvous } from './overlay/rendezvous/rendezvous.ts'
import { dialable, publishersIn } from './peers.ts'
import type { LeafSessions } from './torrent/leaf-sessions.ts'

/** The swarm of a file is asked for a leaf when no linked peer has answered within this time (ms). */
const swarmDelay = 300
/** Nobody may have named the torrent of the file yet, or answered in time. The swarm is asked again, with pauses up to this (ms). */
const longestSwarmPause = 30_000

export interface BlockSources {
  readonly stores: Stores
  readonly client: Client
  readonly server: Server
  readonly links: Links
  readonly dialler: Dialler
  readonly rendezvous: Rendezvous
  readonly sessions: LeafSessions
}

/**
 * Reads and writes blocks in the local store. Gets blocks of others through the exchange between peers, and from the
 * torrents of their files.
 */
export function blockHooks(sources: BlockSources): StoredBlocks {
  const { stores, client, server, dialler, rendezvous } = sources
  const fetcher = new Fetcher({
    want: (cid, signal) => client.want(cid.multihash.bytes, signal),
    dial: async (peer, signal) => await Promise.any(dialable(peer).map((address) => dialler.dial(address, signal))),
    search: async ({ cid, root }, found, signal) => {
      // Most peers that have a part of a file provide only its root.
      const keys = [cid, ...(root === undefined ? [] : [root])].map(({ multihash }) => contentKey(multihash.bytes))
      const lookup = async (key: Uint8Array): Promise<void> =>
        await rendezvous.lookup(key, (address) => found((until) => dialler.dial(address, until)), signal)
      if (rendezvous.meets) await Promise.all(keys.map(lookup))
    }
  })
  return new StoredBlocks({
    blocks: stores.blocks,
    pins: stores.pins,
    fetch: async (cid: CID, options) => {
      const ended = new AbortController()
      void fromSwarm(sources, cid, options, ended.signal).catch(() => {})
      try {
        return await fetcher.fetch(cid, options)
      } finally {
        ended.abort()
      }
    },
    stored: (blocks) => {
      server.stored(blocks.map(({ cid }) => cid.multihash.bytes))
      for (const { cid, bytes } of blocks) client.resolve(cid.multihash.bytes, bytes)
    }
  })
}

/** Tries to get a leaf of a large file from the swarm of the file, in which each piece is a leaf. */
async function fromSwarm(
  { client, links, sessions }: BlockSources,
  cid: CID,
  { root, providers = [], signal }: FetchOptions,
  ended: AbortSignal
): Promise<void> {
  // Not a type guard, because both are CIDs.
  const isRoot: boolean = root?.equals(cid) ?? true
  if (root === undefined || isRoot) return
  const both = AbortSignal.any([signal, ended])
  for (let pause = swarmDelay; ; pause = Math.min(pause * 2, longestSwarmPause)) {
    await sleep(pause, { signal: both })
    // A peer that published the torrent of the file in the DHT may be gone by now.
    const publishers = providers.flatMap((peer) => [...publishersIn(peer), links.get(peer.id)?.publicKey ?? []].flat())
    const bytes = await sessions.leaf(cid, { root, publishers }, both)
    if (bytes !== undefined) return client.resolve(cid.multihash.bytes, bytes)
  }
}

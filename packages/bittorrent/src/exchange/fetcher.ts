import type { PeerInfo } from '@p2pl/core/backend'
import type { CID } from 'multiformats/cid'
import type { Address } from '../address.ts'
import { sleep, Window } from '@p2pl/embedded'
import type { Engine } from '../engine/engine.ts'
import { contentKey } from '../keys.ts'
import { dialable } from '../peers.ts'

const maxWants = 512
const maxHints = 16
const dialLimit = 8_000
/** Linked participants are asked first; the DHT when none of them has answered for this long. */
const firstSearch = 300
const secondSearch = 1_000
const longestSearchPause = 60_000
const maxSearches = 8
const maxDialsPerSearch = 8

/** Gets blocks from others: from the linked ones, from hinted providers, and from those that are met under the CID's key. */
export class Fetcher {
  readonly #engine: Engine
  readonly #wants = new Window(maxWants)
  readonly #searches = new Window(maxSearches)

  constructor(engine: Engine) {
    this.#engine = engine
  }

  async fetch(
    cid: CID,
    providers: readonly PeerInfo[] | undefined,
    root: CID | undefined,
    signal: AbortSignal
  ): Promise<Uint8Array> {
    const leave = await this.#wants.enter(signal)
    const done = new AbortController()
    const both = AbortSignal.any([signal, done.signal])
    // Nothing of it is waited for: whoever answers first wins, and a hint may be wrong. Most blocks come before a search is due.
    for (const peer of providers?.slice(0, maxHints) ?? [])
      for (const address of dialable(peer)) {
        this.#engine.gate.give(address.host)
        void this.#dial(address, both)
      }
    const search = setTimeout(() => {
      void this.#search(cid, root, both).catch(() => {})
      if (root !== undefined && !root.equals(cid)) void this.#fromTorrent(cid, root, both).catch(() => {})
    }, firstSearch).unref()
    try {
      return await this.#engine.client.want(cid.multihash.bytes, signal)
    } finally {
      clearTimeout(search)
      done.abort()
      leave()
    }
  }

  /** A leaf of a large file may be had from the swarm of the file, of which each piece is a leaf. */
  async #fromTorrent(cid: CID, root: CID, signal: AbortSignal): Promise<void> {
    const bytes = await this.#engine.torrents.leaf(cid, root, signal)
    if (bytes !== undefined) this.#engine.client.resolve(cid.multihash.bytes, bytes)
  }

  async #dial(address: Address, signal: AbortSignal): Promise<void> {
    try {
      await this.#engine.links.dial(address, AbortSignal.any([signal, AbortSignal.timeout(dialLimit)]))
    } catch {
      // A provider that does not answer is one less.
    }
  }

  async #search(cid: CID, root: CID | undefined, signal: AbortSignal): Promise<void> {
    const { rendezvous } = this.#engine
    if (!rendezvous.exists) return
    // Most who have a part of a file have announced its root only.
    const keys = [cid, ...(root === undefined ? [] : [root])].map(({ multihash }) => contentKey(multihash.bytes))
    for (let pause = secondSearch; !signal.aborted; pause = Math.min(pause * 4, longestSearchPause)) {
      const leave = await this.#searches.enter(signal)
      try {
        let dials = 0
        const found = (address: Address): void => {
          if (dials++ < maxDialsPerSearch) void this.#dial(address, signal)
        }
        await Promise.all(keys.map((key) => rendezvous.lookup(key, found, signal)))
      } finally {
        leave()
      }
      await sleep(pause, signal)
    }
  }
}

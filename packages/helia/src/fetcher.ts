import type { PeerInfo } from '@p2pl/core/backend'
import type { CID } from 'multiformats/cid'
import { keepNothingAlive, sleep, Window } from '@p2pl/embedded'
import type { Engine } from './engine.ts'
import type { Links } from './connections/links.ts'
import { searchProviders } from './routing.ts'

/** More than 1,024 outstanding wants are cut off by a remote without a word, and the block never comes. */
const maxWants = 512
const maxHints = 16
const dialLimit = 10_000
/** Connected peers are asked first; the DHT when none of them has answered for this long. */
const firstSearch = 300
const secondSearch = 1_000
const longestSearchPause = 60_000
const maxSearches = 8
const maxProviders = 3

/** Gets blocks from others: from the connected ones, from hinted providers, and from those that routing finds. */
export class Fetcher {
  readonly #engine: Engine
  readonly #links: Links
  readonly #wants = new Window(maxWants)
  readonly #searches = new Window(maxSearches)

  constructor(engine: Engine, links: Links) {
    this.#engine = engine
    this.#links = links
  }

  async fetch(cid: CID, providers: readonly PeerInfo[] | undefined, signal: AbortSignal): Promise<Uint8Array> {
    const leave = await this.#wants.enter(signal)
    const done = new AbortController()
    // Neither is waited for: whoever answers first wins, and a hint may be wrong. Most blocks come before a search is due.
    if (providers !== undefined) {
      const dialling = AbortSignal.any([signal, done.signal, AbortSignal.timeout(dialLimit)])
      for (const peer of providers.slice(0, maxHints)) void this.#dial(peer, dialling)
    }
    const search = setTimeout(() => {
      void this.#search(cid, AbortSignal.any([signal, done.signal])).catch(() => {})
    }, firstSearch)
    keepNothingAlive(search)
    try {
      return await this.#engine.exchange.want(cid, signal)
    } finally {
      clearTimeout(search)
      done.abort()
      leave()
    }
  }

  async #dial(peer: PeerInfo, signal: AbortSignal): Promise<void> {
    try {
      await this.#links.dial(peer, signal)
    } catch {
      // A provider that does not answer is one less.
    }
  }

  async #search(cid: CID, signal: AbortSignal): Promise<void> {
    const { dht, libp2p } = this.#engine
    if (dht === undefined) return
    for (let pause = secondSearch; !signal.aborted; pause = Math.min(pause * 4, longestSearchPause)) {
      const leave = await this.#searches.enter(signal)
      try {
        for await (const provider of searchProviders(libp2p, dht, cid, maxProviders, signal))
          void this.#dial(provider, AbortSignal.any([signal, AbortSignal.timeout(dialLimit)]))
      } finally {
        leave()
      }
      await sleep(pause, signal)
    }
  }
}

import { backoff, bytesKey, type PeerInfo, sleep, Slots, untilAborted } from '@p2pl/core/backend'
import type { CID } from 'multiformats/cid'

/** Some engines cut longer lists of outstanding wants off without a word, and the block never comes. */
const maxWants = 512
const dialTimeout = 10_000
/** Connected peers are asked first; routing when none of them has answered for this long. */
const searchDelay = 300
const searchPause = { first: 1_000, longest: 60_000 }
const maxSearches = 8
const maxDialsPerSearch = 8

type Dial = (signal: AbortSignal) => Promise<unknown>

/** How an engine gets blocks from other peers. */
export interface FetchNetwork {
  /**
   * Asks the connected peers for the block, now and those that connect later. Resolves with bytes that hash to the CID. The signal
   * fires when nobody wants them any more. There is one call for a block at a time.
   */
  want(cid: CID, signal: AbortSignal): Promise<Uint8Array>
  /** Connects to a peer that was hinted as a provider. */
  dial(peer: PeerInfo, signal: AbortSignal): Promise<unknown>
  /**
   * Looks once for peers that have the block, or the root of its DAG, and calls `found` for each with what connects to it.
   * Absent where the engine cannot look for anybody.
   */
  search?(
    wanted: { readonly cid: CID; readonly root: CID | undefined },
    found: (dial: Dial) => void,
    signal: AbortSignal
  ): Promise<void>
}

export interface FetchOptions {
  readonly providers?: readonly PeerInfo[] | undefined
  readonly root?: CID | undefined
  readonly signal: AbortSignal
}

interface Want {
  readonly bytes: Promise<Uint8Array>
  readonly end: AbortController
  users: number
}

/** Gets blocks from the connected peers, from hinted providers, and from those that routing finds. Callers of one block share a want. */
export class Fetcher {
  readonly #network: FetchNetwork
  readonly #wants = new Map<string, Want>()
  readonly #slots = new Slots(maxWants)
  readonly #searches = new Slots(maxSearches)

  constructor(network: FetchNetwork) {
    this.#network = network
  }

  /** Looks for the block until the signal fires. */
  async fetch(cid: CID, { providers = [], root, signal }: FetchOptions): Promise<Uint8Array> {
    signal.throwIfAborted()
    const key = bytesKey(cid.multihash.bytes)
    const want = this.#wants.get(key) ?? this.#begin(key, cid, root)
    want.users++
    const end = AbortSignal.any([signal, want.end.signal])
    // Nobody waits for hints: the first peer that answers wins, and a hint may be wrong.
    for (const peer of providers) void this.#dial((until) => this.#network.dial(peer, until), end)
    try {
      return await untilAborted(want.bytes, signal)
    } finally {
      if (--want.users === 0) this.#end(key, want)
    }
  }

  #begin(key: string, cid: CID, root: CID | undefined): Want {
    const end = new AbortController()
    const want: Want = { bytes: this.#want(cid, root, end.signal), end, users: 0 }
    want.bytes.catch(() => undefined).finally(() => this.#end(key, want))
    this.#wants.set(key, want)
    return want
  }

  #end(key: string, want: Want): void {
    if (this.#wants.get(key) === want) this.#wants.delete(key)
    want.end.abort()
  }

  async #want(cid: CID, root: CID | undefined, signal: AbortSignal): Promise<Uint8Array> {
    return await this.#slots.run(async () => {
      void this.#search(cid, root, signal).catch(() => undefined)
      return await this.#network.want(cid, signal)
    }, signal)
  }

  /** Most blocks come before a search is due. */
  async #search(cid: CID, root: CID | undefined, signal: AbortSignal): Promise<void> {
    if (this.#network.search === undefined) return
    await sleep(searchDelay, { signal })
    for (let attempt = 1; !signal.aborted; attempt++) {
      await this.#searches.run(async () => {
        let dials = 0
        const found = (dial: Dial): void => {
          if (dials++ < maxDialsPerSearch) void this.#dial(dial, signal)
        }
        // A search that fails is one less.
        await this.#network.search?.({ cid, root }, found, signal).catch(() => undefined)
      }, signal)
      await sleep(backoff(searchPause, attempt), { signal })
    }
  }

  async #dial(dial: Dial, signal: AbortSignal): Promise<void> {
    try {
      await dial(AbortSignal.any([signal, AbortSignal.timeout(dialTimeout)]))
    } catch {
      // A provider that does not answer is one less.
    }
  }
}

import {
  backoff,
  bytesKey,
  FairSlots,
  type PeerInfo,
  sleep,
  Slots,
  systemClock,
  untilAborted
} from '@p2pl/core/backend'
import type { CID } from 'multiformats/cid'

/** Some engines silently truncate longer lists of outstanding wants, and then the block never arrives. */
const maxWants = 512
const dialTimeout = 10_000
/** Connected peers are asked first. Routing follows when none of them has answered within this time (ms). */
const searchDelay = 300
const searchPause = { first: 1_000, longest: 60_000 }
const maxSearches = 8
const maxDialsPerSearch = 8

/**
 * The reason with which searches and dials of a want end. Nobody sees it. It is shared, because a new error with its
 * stack for each block would be expensive.
 */
const over = new Error('the want has ended')

type Dial = (signal: AbortSignal) => Promise<unknown>

/** How an engine gets blocks from other peers. */
export interface FetchNetwork {
  /**
   * Asks the connected peers for the block, including those that connect later. Resolves with bytes that hash to the
   * CID. The signal fires when the block has not arrived and nobody wants it any more. There is one call per block at a
   * time. `root`: the DAG that the block is part of, if known.
   */
  want(cid: CID, signal: AbortSignal, root: CID | undefined): Promise<Uint8Array>
  /** Connects to a peer from a provider hint. */
  dial(peer: PeerInfo, signal: AbortSignal): Promise<unknown>
  /**
   * Searches once for peers that have the block, or the root of its DAG. Calls `found` for each of them, with a
   * function that connects to the peer. Absent if the engine cannot search.
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
  readonly cid: CID
  readonly root: CID | undefined
  readonly bytes: Promise<Uint8Array>
  readonly end: AbortController
  users: number
  /** Whether its bytes have arrived. */
  came: boolean
  /** Whether a dial or a search for it must be told of its end. Firing a signal costs more than creating one. */
  followed: boolean
}

/**
 * Gets blocks from the connected peers, from hinted providers, and from peers that routing finds. Callers that need the
 * same block share a want.
 */
export class Fetcher {
  readonly #network: FetchNetwork
  readonly #wants = new Map<string, Want>()
  readonly #slots = new FairSlots(maxWants, () => true)
  readonly #searches = new Slots(maxSearches)
  /** Wants whose bytes arrived in this turn of the event loop, with their keys. */
  #done: (readonly [string, Want])[] = []
  /**
   * Wants that are not due for a search yet, the oldest first, and since when they exist. One timer serves all of them,
   * because most blocks arrive earlier.
   */
  readonly #fresh = new Map<Want, number>()
  #timer: unknown

  constructor(network: FetchNetwork) {
    this.#network = network
  }

  /** Looks for the block until the signal fires. */
  async fetch(cid: CID, { providers = [], root, signal }: FetchOptions): Promise<Uint8Array> {
    signal.throwIfAborted()
    const key = bytesKey(cid.multihash.bytes)
    const want = this.#wants.get(key) ?? this.#begin(key, cid, root)
    want.users++
    if (providers.length > 0 && !want.came) {
      want.followed = true
      const end = AbortSignal.any([signal, want.end.signal])
      // Hints delay nothing: the first peer that answers wins, and a hint may be wrong.
      for (const peer of providers) void this.#dial((until) => this.#network.dial(peer, until), end)
    }
    try {
      return await untilAborted(want.bytes, signal)
    } finally {
      if (--want.users === 0 && !want.came && this.#wants.get(key) === want) this.#end(key, want)
    }
  }

  #begin(key: string, cid: CID, root: CID | undefined): Want {
    const { promise: bytes, resolve, reject } = Promise.withResolvers<Uint8Array>()
    const want: Want = { cid, root, bytes, end: new AbortController(), users: 0, came: false, followed: false }
    const { signal } = want.end
    bytes.then(
      () => this.#keep(key, want),
      () => this.#end(key, want)
    )
    // The wants of one DAG queue behind each other, and do not delay those of others.
    const session = root === undefined ? '' : bytesKey(root.multihash.bytes)
    const ask = (): Promise<Uint8Array> => {
      if (this.#network.search !== undefined) this.#searchLater(want)
      return this.#network.want(cid, signal, root)
    }
    this.#slots.run(session, ask, signal).then(resolve, reject)
    this.#wants.set(key, want)
    return want
  }

  /**
   * Keeps a want until the end of the turn, when its users have begun to store the bytes. A reader that missed them in
   * the store just before shares the want.
   */
  #keep(key: string, want: Want): void {
    want.came = true
    this.#fresh.delete(want)
    if (want.followed) want.end.abort(over)
    if (this.#done.push([key, want]) === 1) systemClock.nextTurn(() => this.#forget())
  }

  #forget(): void {
    for (const [key, want] of this.#done) if (this.#wants.get(key) === want) this.#wants.delete(key)
    this.#done = []
  }

  #end(key: string, want: Want): void {
    if (this.#wants.get(key) === want) this.#wants.delete(key)
    this.#fresh.delete(want)
    want.end.abort(over)
  }

  #searchLater(want: Want): void {
    this.#fresh.set(want, performance.now())
    if (this.#timer === undefined) this.#timer = systemClock.setTimeout(() => this.#searchDue(), searchDelay)
  }

  #searchDue(): void {
    this.#timer = undefined
    const now = performance.now()
    for (const [want, since] of this.#fresh) {
      const left = since + searchDelay - now
      if (left > 1) {
        this.#timer = systemClock.setTimeout(() => this.#searchDue(), left)
        return
      }
      this.#fresh.delete(want)
      want.followed = true
      void this.#search(want).catch(() => undefined)
    }
  }

  async #search({ cid, root, end: { signal } }: Want): Promise<void> {
    for (let attempt = 1; !signal.aborted; attempt++) {
      await this.#searches.run(async () => {
        let dials = 0
        const found = (dial: Dial): void => {
          if (dials++ < maxDialsPerSearch) void this.#dial(dial, signal)
        }
        // If the search fails, other ways remain.
        await this.#network.search?.({ cid, root }, found, signal).catch(() => undefined)
      }, signal)
      await sleep(backoff(searchPause, attempt), { signal })
    }
  }

  async #dial(dial: Dial, signal: AbortSignal): Promise<void> {
    try {
      await dial(AbortSignal.any([signal, AbortSignal.timeout(dialTimeout)]))
    } catch {
      // If the provider does not answer, other ways remain.
    }
  }
}

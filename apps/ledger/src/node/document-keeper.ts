import { isP2plError, type Peer } from '@p2pl/core'
import type { CID } from 'multiformats/cid'
import type { Claim } from '../state/documents.ts'
import { connectedPeers } from './connected.ts'
import { FairQueue } from './fair-queue.ts'

export interface KeeperOptions {
  /**
   * The largest document, in bytes, that is copied. A larger one is fetched only when a client asks for it. 0 copies
   * none. Default 16 MiB.
   */
  readonly maxBytes?: number | undefined
  /** How many documents of one share are fetched at once. Default 4. Four shares may do so at the same time. */
  readonly concurrency?: number | undefined
  /**
   * Whether an author has a separate share. Accounts that are not free have one: they have money or are witnesses. All
   * other accounts have one share together, because anybody can create such accounts at no cost. Default: each author
   * has a separate share.
   */
  readonly hasShare?: ((author: string) => boolean | Promise<boolean>) | undefined
}

const sharesAtOnce = 4
const othersShare = 'all others'
const firstPauseMs = 500
const longestPauseMs = 600_000
/** How long (ms) the first attempt looks for a document; doubled for each further attempt. */
const firstLookMs = 1_000
const longestLookMs = 15_000
/** How long (ms) the transfer of a document may take. The next attempt continues from the blocks that arrived. */
const transferMs = 60_000

/** Which documents this node has a copy of. */
export interface Copies {
  isMissing(cid: CID): Promise<boolean>
  found(cid: CID): Promise<void>
}

/** A search for a document. */
interface Search extends Claim {
  failures: number
}

/**
 * Keeps a copy of each document that an entry names, so that the document outlives the peer that recorded it. It
 * fetches documents in the background, repeatedly until it succeeds. Authors have shares, so documents that no peer has
 * delay only documents of the same share.
 */
export class DocumentKeeper {
  readonly #peer: Peer
  readonly #copies: Copies
  readonly #maxBytes: number
  readonly #hasShare: (author: string) => boolean | Promise<boolean>
  readonly #stopped = new AbortController()
  readonly #queue: FairQueue<Search>
  readonly #later = new Map<NodeJS.Timeout, Search>()

  constructor(peer: Peer, copies: Copies, options: KeeperOptions = {}) {
    this.#peer = peer
    this.#copies = copies
    this.#maxBytes = options.maxBytes ?? 16 * 1_024 * 1_024
    this.#hasShare = options.hasShare ?? (() => true)
    const perShare = options.concurrency ?? 4
    this.#queue = new FairQueue({ total: perShare * sharesAtOnce, perShare }, (search) => this.#attempt(search))
  }

  /** Whether it keeps copies at all. */
  get keeps(): boolean {
    return this.#maxBytes > 0
  }

  /**
   * `size` is the size according to the entry. A document that turns out larger is not fetched to its end, and one
   * above the limit is not fetched at all.
   */
  async keep(claim: Claim): Promise<void> {
    if (!this.keeps || claim.size > this.#maxBytes) return
    this.#queue.add(await this.#shareOf(claim.author), { ...claim, failures: 0 })
  }

  stop(): void {
    this.#stopped.abort()
    this.#queue.clear()
    for (const timer of this.#later.keys()) clearTimeout(timer)
    this.#later.clear()
  }

  /** Looks for all missing documents again at once. */
  retry(): void {
    for (const [timer, search] of this.#later) {
      clearTimeout(timer)
      void this.#again(search)
    }
    this.#later.clear()
  }

  async #again(search: Search): Promise<void> {
    const share = await this.#shareOf(search.author)
    if (!this.#stopped.signal.aborted) this.#queue.putBack(share, search)
  }

  async #shareOf(author: string): Promise<string> {
    try {
      return (await this.#hasShare(author)) ? author : othersShare
    } catch {
      // It is not known whether the account has money.
      return othersShare
    }
  }

  async #attempt(search: Search): Promise<void> {
    if (this.#stopped.signal.aborted) return
    try {
      if (!(await this.#copies.isMissing(search.cid))) return
      await this.#fetch(search)
      await this.#copies.found(search.cid)
    } catch (error) {
      // The document contradicts its entry and always will: fetching it again is useless.
      if (!isP2plError(error, 'TOO_LARGE') && !isP2plError(error, 'UNSUPPORTED')) this.#postpone(search)
    }
  }

  async #fetch({ cid, size, failures }: Search): Promise<void> {
    const { data, capabilities } = this.#peer
    const unfound = new AbortController()
    const look = setTimeout(() => unfound.abort(), Math.min(firstLookMs * 2 ** failures, longestLookMs))
    const signal = AbortSignal.any([this.#stopped.signal, unfound.signal, AbortSignal.timeout(transferMs)])
    try {
      // Reading it first limits its size, whatever its root says, and verifies it.
      await data.bytes(cid, {
        signal,
        maxBytes: size,
        providers: await connectedPeers(this.#peer),
        onProgress: () => {
          clearTimeout(look)
        }
      })
    } finally {
      clearTimeout(look)
    }
    if (capabilities.blocks !== undefined && capabilities.blocks.pins !== 'none') await data.pin(cid, { signal })
  }

  #postpone(search: Search): void {
    if (this.#stopped.signal.aborted) return
    const pause = Math.min(firstPauseMs * 2 ** search.failures++, longestPauseMs)
    const timer = setTimeout(() => {
      this.#later.delete(timer)
      void this.#again(search)
    }, pause)
    timer.unref()
    this.#later.set(timer, search)
  }
}

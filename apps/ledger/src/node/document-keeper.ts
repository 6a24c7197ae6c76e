import { isP2plError, type Peer } from '@p2pl/core'
import type { CID } from 'multiformats/cid'
import { connectedPeers } from './connected.ts'
import { FairQueue } from './fair-queue.ts'

export interface KeeperOptions {
  /** A larger document is fetched only when a client asks for it. Bytes; 0 keeps none. Default 16 MiB. */
  readonly maxBytes?: number | undefined
  /** Documents of one share that are fetched at once. Default 4. Four shares may do so at the same time. */
  readonly concurrency?: number | undefined
  /**
   * Whether an author has a share of its own. Accounts that cost something do: they have money or are witnesses. All others
   * have one share together, since anybody can make such accounts for nothing. Default: each author has one.
   */
  readonly hasShare?: ((author: string) => boolean) | undefined
}

const sharesAtOnce = 4
const firstPauseMs = 500
const longestPauseMs = 600_000
/** How long a document is looked for in the first attempt, doubled in each one after it. */
const firstLookMs = 1_000
const longestLookMs = 15_000
/** How long the transfer of a document may take. The next attempt continues from the blocks that arrived. */
const transferMs = 60_000

/** One entry that names a document. */
interface Claim {
  readonly cid: CID
  /** Bytes, as the entry says. */
  readonly size: number
  readonly author: string
  failures: number
}

/**
 * Holds a copy of each document that an entry names, so that it outlives the peer that recorded it. It is fetched in
 * the background, again and again until that succeeds. Authors have shares, so documents that no peer has delay only those of their own share.
 */
export class DocumentKeeper {
  readonly #peer: Peer
  readonly #maxBytes: number
  readonly #hasShare: (author: string) => boolean
  readonly #stopped = new AbortController()
  readonly #queue: FairQueue<Claim>
  readonly #known = new Set<string>()
  readonly #kept = new Set<string>()
  /** The largest size that an author gave for each document. */
  readonly #claimed = new Map<string, number>()
  readonly #later = new Map<NodeJS.Timeout, Claim>()

  constructor(peer: Peer, options: KeeperOptions = {}) {
    this.#peer = peer
    this.#maxBytes = options.maxBytes ?? 16 * 1_024 * 1_024
    this.#hasShare = options.hasShare ?? (() => true)
    const perShare = options.concurrency ?? 4
    this.#queue = new FairQueue({ total: perShare * sharesAtOnce, perShare }, (claim) => this.#attempt(claim))
  }

  /**
   * `size` is what the entry says; a document that is larger is not fetched to its end. An entry that says too little must not
   * keep the document away: an entry that says more counts anew, and so does one of another author.
   */
  keep(cid: CID, size: number, author = ''): void {
    const key = cid.toString()
    const claim = `${author}/${key}`
    if (size <= (this.#claimed.get(claim) ?? -1) || size > this.#maxBytes || this.#maxBytes === 0) return
    this.#claimed.set(claim, size)
    this.#known.add(key)
    if (!this.#kept.has(key)) this.#queue.add(this.#shareOf(author), { cid, size, author, failures: 0 })
  }

  status(): { known: number; kept: number } {
    return { known: this.#known.size, kept: this.#kept.size }
  }

  stop(): void {
    this.#stopped.abort()
    this.#queue.clear()
    for (const timer of this.#later.keys()) clearTimeout(timer)
    this.#later.clear()
  }

  /** Looks for missing documents again at once. */
  retry(): void {
    for (const [timer, claim] of this.#later) {
      clearTimeout(timer)
      this.#queue.putBack(this.#shareOf(claim.author), claim)
    }
    this.#later.clear()
  }

  #shareOf(author: string): string {
    return this.#hasShare(author) ? author : 'all others'
  }

  async #attempt(claim: Claim): Promise<void> {
    const key = claim.cid.toString()
    if (this.#kept.has(key) || this.#stopped.signal.aborted) return
    try {
      await this.#fetch(claim)
      this.#kept.add(key)
    } catch (error) {
      // The document contradicts its entry and always will: fetching it again is useless.
      if (!isP2plError(error, 'TOO_LARGE') && !isP2plError(error, 'UNSUPPORTED')) this.#postpone(claim)
    }
  }

  async #fetch({ cid, size, failures }: Claim): Promise<void> {
    const { data, capabilities } = this.#peer
    const unfound = new AbortController()
    const look = setTimeout(() => unfound.abort(), Math.min(firstLookMs * 2 ** failures, longestLookMs))
    const signal = AbortSignal.any([this.#stopped.signal, unfound.signal, AbortSignal.timeout(transferMs)])
    try {
      // Reading it first bounds its size, whatever its root says, and verifies it.
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

  #postpone(claim: Claim): void {
    if (this.#stopped.signal.aborted) return
    const pause = Math.min(firstPauseMs * 2 ** claim.failures++, longestPauseMs)
    const timer = setTimeout(() => {
      this.#later.delete(timer)
      this.#queue.putBack(this.#shareOf(claim.author), claim)
    }, pause)
    timer.unref()
    this.#later.set(timer, claim)
  }
}

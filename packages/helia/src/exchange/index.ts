import type { Libp2p } from '@libp2p/interface'
import type { Block } from '@p2pl/core/backend'
import type { CID } from 'multiformats/cid'
import { base64 } from 'multiformats/bases/base64'
import { keepNothingAlive, plain, untilAborted } from '@p2pl/embedded'
import { startLibrary, type BlockSource, type Library, type WantEntry } from './library.ts'
import { Network } from './network.ts'
import { admitWants } from './serving.ts'

/** How often wants without an answer are looked at. */
const tick = 1_000
/** After this long everybody is asked again: answers get lost. */
const firstRound = 5_000
const longestRound = 30_000

interface Want {
  readonly cid: CID
  readonly key: string
  readonly promise: Promise<Uint8Array>
  readonly resolve: (bytes: Uint8Array) => void
  readonly ended: AbortController
  waiters: number
  askedAt: number
  round: number
}

/**
 * Blocks to and from others, by the Helia project's Bitswap. What is added to it: one want per block, whoever asks for it;
 * peers are told when it has ended, and asked again when they do not answer.
 */
export class Exchange {
  readonly #network: Network
  readonly #libp2p: Libp2p
  readonly #source: BlockSource
  readonly #wants = new Map<string, Want>()
  /** Not private in the language: tests look into it. */
  library: Library | undefined
  #timer: ReturnType<typeof setInterval> | undefined

  constructor(libp2p: Libp2p, source: BlockSource) {
    this.#libp2p = libp2p
    this.#network = new Network(libp2p)
    this.#source = source
  }

  async start(): Promise<void> {
    const library = await startLibrary(this.#network.libp2p, this.#source)
    admitWants(this.#libp2p, library.internals.peerWantLists)
    this.library = library
  }

  async stop(): Promise<void> {
    clearInterval(this.#timer)
    for (const want of this.#wants.values()) want.ended.abort()
    this.#wants.clear()
    await this.library?.broker.stop()
    this.#network.close()
  }

  /** Bytes that hash to the CID, from whichever peer has them first, now or later. */
  async want(cid: CID, signal: AbortSignal): Promise<Uint8Array> {
    signal.throwIfAborted()
    const key = keyOf(cid)
    const want = this.#wants.get(key) ?? this.#begin(cid, key)
    want.waiters++
    try {
      return await untilAborted(want.promise, signal)
    } finally {
      if (--want.waiters === 0) this.#end(want)
    }
  }

  /** Blocks came into the own store: whoever wants one gets it. */
  notify(blocks: readonly Block[]): void {
    const library = this.library
    if (library === undefined) return
    for (const { cid, bytes } of blocks) {
      const want = this.#wants.size === 0 ? undefined : this.#wants.get(keyOf(cid))
      if (want !== undefined) {
        want.resolve(bytes)
        this.#end(want)
      }
      if (library.internals.peerWantLists.ledgerMap.size > 0) library.broker.announce(cid).catch(() => {})
    }
  }

  #begin(cid: CID, key: string): Want {
    const library = this.library
    if (library === undefined) throw new Error('the exchange has not started')
    const { promise, resolve, reject } = Promise.withResolvers<Uint8Array>()
    promise.catch(() => {})
    const ended = new AbortController()
    const want: Want = { cid, key, promise, resolve, ended, waiters: 0, askedAt: performance.now(), round: firstRound }
    this.#wants.set(key, want)
    // A message that was still on its way when the last want for this block ended leaves its mark, and with it nobody would be asked.
    this.#recall([want])
    library.broker.retrieve(cid, { signal: ended.signal }).then(
      (bytes) => {
        resolve(plain(bytes))
        this.#end(want, true)
      },
      (error: unknown) => {
        reject(error)
        this.#end(want)
      }
    )
    if (this.#timer === undefined) {
      this.#timer = setInterval(() => this.#tick(), tick)
      keepNothingAlive(this.#timer)
    }
    return want
  }

  /** Delivered or given up. The engine would only take it off its list some time later, and forget a new want for the same block then. */
  #end(want: Want, delivered = false): void {
    if (this.#wants.get(want.key) !== want) return
    this.#wants.delete(want.key)
    if (!delivered) want.ended.abort()
    this.library?.internals.wantList.wants.delete(want.key)
    this.#recall([want])
    if (this.#wants.size > 0) return
    clearInterval(this.#timer)
    this.#timer = undefined
  }

  #tick(): void {
    const now = performance.now()
    const due = [...this.#wants.values()].filter(({ askedAt, round }) => now - askedAt >= round)
    if (due.length === 0) return
    for (const want of due) {
      want.askedAt = now
      want.round = Math.min(want.round * 2, longestRound)
    }
    this.#recall(due)
    void this.library?.internals.wantList.sendMessagesDebounced().catch(() => {})
  }

  /**
   * Tells those who were asked to forget it. The engine never does: they would send it in vain, or, having sent it, not send
   * it again.
   */
  #recall(wants: readonly Want[]): void {
    const library = this.library
    if (library === undefined) return
    const { network, wantList } = library.internals
    for (const [peer, told] of wantList.peers.entries()) {
      const wantlist = new Map<string, WantEntry>()
      for (const { cid, key } of wants)
        if (told.delete(key)) wantlist.set(key, { cid: cid.bytes, priority: 1, cancel: true })
      if (wantlist.size > 0)
        network
          .sendMessage(peer, { full: false, pendingBytes: 0, wantlist, blocks: new Map(), blockPresences: new Map() })
          .catch(() => {})
    }
  }
}

/** As the engine's want list has it. */
function keyOf(cid: CID): string {
  return base64.baseEncode(cid.multihash.bytes)
}

import type { Libp2p } from '@libp2p/interface'
import { type Block, compactBytes, systemClock, untilAborted } from '@p2pl/core/backend'
import { base64 } from 'multiformats/bases/base64'
import type { CID } from 'multiformats/cid'
import type { BlockSource } from '../bulk/server.ts'
import { startLibrary, type Library } from './library.ts'
import { Network } from './network.ts'
import { Recalls } from './recalls.ts'
import { admitWants } from './serving.ts'

/** How often to check for unanswered wants (ms). */
const tick = 1_000
/** After this long (ms) all peers are asked again, because answers get lost. */
const firstRound = 5_000
const longestRound = 30_000

/**
 * The reason with which a want ends. Nobody sees it. It is shared, because there is one per block: a new error with its
 * stack would cost more than everything else.
 */
const over = new Error('the want has ended')

interface Want {
  readonly cid: CID
  readonly key: string
  readonly ended: AbortController
  askedAt: number
  round: number
}

/**
 * Exchanges blocks with peers that do not speak the bulk exchange, through the Helia project's Bitswap. It tells peers
 * when a want has ended, and asks them again while they do not answer.
 */
export class Bitswap {
  readonly #network: Network
  readonly #libp2p: Libp2p
  readonly #source: BlockSource
  readonly #wants = new Map<string, Want>()
  readonly #recalls = new Recalls((peer, message) => {
    this.library?.internals.network.sendMessage(peer, message).catch(() => {})
  })
  /** A plain member, because tests read it. */
  library: Library | undefined
  #timer: unknown

  constructor(libp2p: Libp2p, source: BlockSource) {
    this.#libp2p = libp2p
    this.#network = new Network(libp2p, (connection, message) => {
      const detail = { peer: connection.remotePeer, connection, message }
      this.library?.internals.network.dispatchEvent(new CustomEvent('bitswap:message', { detail }))
    })
    this.#source = source
  }

  async start(): Promise<void> {
    const library = await startLibrary(this.#network.libp2p, this.#source)
    admitWants(this.#libp2p, library.internals.peerWantLists)
    this.library = library
  }

  async stop(): Promise<void> {
    systemClock.clearTimeout(this.#timer)
    for (const { ended } of this.#wants.values()) ended.abort(over)
    this.#wants.clear()
    this.#recalls.clear()
    await this.library?.broker.stop()
    this.#network.close()
  }

  /**
   * Bytes that hash to the CID, from the first peer that delivers them, now or later. Allows one call per block at a
   * time.
   */
  async want(cid: CID, signal: AbortSignal): Promise<Uint8Array> {
    const { library } = this
    if (library === undefined) throw new Error('the exchange has not started')
    const { promise, resolve, reject } = Promise.withResolvers<Uint8Array>()
    const ended = new AbortController()
    const want: Want = { cid, key: keyOf(cid), ended, askedAt: performance.now(), round: firstRound }
    this.#wants.set(want.key, want)
    // A message that was still on its way when the last want for this block ended leaves an entry, because of which no
    // peer would be asked.
    this.#recall([want])
    // A peer that gets the cancel after the new want would forget the new want.
    this.#recalls.sendIfAny(want.key)
    library.broker
      .retrieve(cid, { signal: ended.signal })
      .then((bytes) => resolve(compactBytes(bytes)))
      .catch(reject)
    this.#timer ??= systemClock.setTimeout(() => this.#tick(), tick)
    try {
      return await untilAborted(promise, signal)
    } finally {
      if (this.#wants.get(want.key) === want) this.#wants.delete(want.key)
      // Otherwise the engine would remove it from its list later, and then forget a new want for the same block.
      ended.abort(over)
      library.internals.wantList.wants.delete(want.key)
      this.#recall([want])
    }
  }

  /** Blocks were added to the local store: peers that want one get it. */
  notify(blocks: readonly Block[]): void {
    const { library } = this
    if (library === undefined || library.internals.peerWantLists.ledgerMap.size === 0) return
    for (const { cid } of blocks) library.broker.announce(cid).catch(() => {})
  }

  #tick(): void {
    this.#timer = this.#wants.size === 0 ? undefined : systemClock.setTimeout(() => this.#tick(), tick)
    const now = performance.now()
    const due = [...this.#wants.values()].filter(({ askedAt, round }) => now - askedAt >= round)
    if (due.length === 0) return
    for (const want of due) {
      want.askedAt = now
      want.round = Math.min(want.round * 2, longestRound)
    }
    this.#recall(due)
    this.#recalls.send()
    void this.library?.internals.wantList.sendMessagesDebounced().catch(() => {})
  }

  /**
   * Tells the peers that were asked to forget the want. The engine never does: they would send the block in vain, or
   * never again.
   */
  #recall(wants: readonly Want[]): void {
    const { library } = this
    if (library === undefined) return
    for (const [peer, told] of library.internals.wantList.peers.entries()) {
      for (const { cid, key } of wants) if (told.delete(key)) this.#recalls.add(peer, key, cid)
    }
  }
}

/** The key of the block in the engine's want list. */
function keyOf(cid: CID): string {
  return base64.baseEncode(cid.multihash.bytes)
}

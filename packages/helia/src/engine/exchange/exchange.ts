import type { Libp2p } from '@libp2p/interface'
import { type Block, bytesKey, untilAborted } from '@p2pl/core/backend'
import type { CID } from 'multiformats/cid'
import { Bulk } from '../bulk/bulk.ts'
import type { LaneRules } from '../bulk/lane-door.ts'
import type { BlockSource } from '../bulk/server.ts'
import { Bitswap } from './bitswap.ts'

/** The reason with which a want ends. Nobody sees it. */
const over = new Error('the want has ended')

/**
 * Exchanges blocks with others: through the bulk exchange with peers that speak it, and through Bitswap for blocks that
 * no such peer has.
 */
export class Exchange {
  readonly bulk: Bulk
  readonly bitswap: Bitswap
  readonly #waiting = new Map<string, (bytes: Uint8Array) => void>()

  constructor(libp2p: Libp2p, source: BlockSource, lanes: LaneRules) {
    this.bulk = new Bulk(libp2p, source, lanes)
    this.bitswap = new Bitswap(libp2p, source)
  }

  async start(): Promise<void> {
    await this.bulk.start()
    await this.bitswap.start()
  }

  async stop(): Promise<void> {
    await this.bulk.stop()
    await this.bitswap.stop()
  }

  /**
   * Bytes that hash to the CID, from the first peer that delivers them, now or later. Allows one call per block at a
   * time. Blocks of one root form a session.
   */
  async want(cid: CID, signal: AbortSignal, root: CID | undefined): Promise<Uint8Array> {
    const { promise, resolve, reject } = Promise.withResolvers<Uint8Array>()
    let strangers: AbortController | undefined
    const askStrangers = (): void => {
      if (strangers !== undefined) return
      strangers = new AbortController()
      this.bitswap.want(cid, strangers.signal).then(resolve, reject)
    }
    const key = bytesKey(cid.multihash.bytes)
    const session = root === undefined ? '' : bytesKey(root.multihash.bytes)
    const want = this.bulk.want(cid, session, resolve, askStrangers)
    this.#waiting.set(key, resolve)
    try {
      return await untilAborted(promise, signal)
    } finally {
      if (this.#waiting.get(key) === resolve) this.#waiting.delete(key)
      this.bulk.end(want)
      strangers?.abort(over)
    }
  }

  /** Blocks were added to the local store: peers that want one get it. */
  notify(blocks: readonly Block[]): void {
    if (this.#waiting.size > 0)
      for (const { cid, bytes } of blocks) this.#waiting.get(bytesKey(cid.multihash.bytes))?.(bytes)
    this.bitswap.notify(blocks)
  }
}

import { type Block, Slots, untilAborted, verifyBlock } from '@p2pl/core/backend'
import { Buffer } from 'node:buffer'
import type { Link } from './link.ts'

type Cid = Block['cid']

/** The source of blocks for other peers. */
export interface BlockSource {
  getSound(multihash: Uint8Array): Promise<Uint8Array | undefined>
}

const maxWantedOfPeer = 4096
/** Maximum number of blocks that are read for one peer at the same time. */
const servedAtOnce = 4

/** Exchanges blocks with the connected peers. One peer asks; the other sends the block now, or tells when it has it. */
export class Exchange {
  readonly #source: BlockSource
  readonly #links: () => Link[]
  readonly #asks = new Map<string, (link: Link) => Promise<void>>()
  readonly #serving = new WeakMap<Link, Slots>()

  constructor(source: BlockSource, links: () => Link[]) {
    this.#source = source
    this.#links = links
  }

  /** Asks every connected peer, now and later, until the signal fires. There is only one call per block at a time. */
  async want(cid: Cid, signal: AbortSignal): Promise<Uint8Array> {
    const key = keyOf(cid)
    const { promise, resolve } = Promise.withResolvers<Uint8Array>()
    this.#asks.set(key, async (link) => {
      const { header, body } = await link.request({ want: key })
      if (header.found !== true) return
      await verifyBlock(cid, body, 'blocks.get', 'my-net')
      resolve(body)
    })
    for (const link of this.#links()) this.offered(link, key)
    try {
      return await untilAborted(promise, signal)
    } finally {
      this.#asks.delete(key)
    }
  }

  connected(link: Link): void {
    for (const key of this.#asks.keys()) this.offered(link, key)
  }

  /** The peer may have the block now. */
  offered(link: Link, key: string): void {
    // A peer that is gone or sends something else no longer counts.
    void this.#asks
      .get(key)?.(link)
      .catch(() => undefined)
  }

  /** Tells the peers that wait for these blocks. */
  stored(blocks: readonly Block[]): void {
    for (const { cid } of blocks) {
      const key = keyOf(cid)
      for (const link of this.#links()) if (link.wanted.delete(key)) link.send({ have: key })
    }
  }

  async serve(link: Link, key: string, n: number): Promise<void> {
    const slots = this.#serving.get(link) ?? new Slots(servedAtOnce)
    this.#serving.set(link, slots)
    if (slots.waiting > maxWantedOfPeer) return link.close()
    try {
      await slots.run(async () => await this.#send(link, key, n))
    } catch {
      // The store cannot be read at the moment.
      link.send({ ok: n, found: false })
    }
  }

  async #send(link: Link, key: string, n: number): Promise<void> {
    // Recorded before the look, so that a block that is stored meanwhile is offered.
    if (link.wanted.size < maxWantedOfPeer) link.wanted.add(key)
    const bytes = await this.#source.getSound(new Uint8Array(Buffer.from(key, 'base64')))
    if (bytes !== undefined) link.wanted.delete(key)
    link.send({ ok: n, found: bytes !== undefined }, bytes)
    await link.drained()
  }
}

function keyOf(cid: Cid): string {
  return Buffer.from(cid.multihash.bytes).toString('base64')
}

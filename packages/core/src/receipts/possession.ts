import type { CID } from 'multiformats/cid'
import type { Environment } from '../api/peer.ts'
import { identityBytes } from '../content/hash.ts'
import type { Calls } from '../data/calls.ts'
import { P2plError } from '../errors.ts'
import type { Identity } from '../identity.ts'
import { bytesKey } from '../toolbox/bytes.ts'
import type { Countdown } from '../toolbox/countdown.ts'
import { signAcknowledgement } from './acknowledgement.ts'
import { type Dag, maxBlocks, readDag } from './dag.ts'
import { costOf, type Kept, type KeptContent } from './kept.ts'
import { proofOf } from './proof.ts'
import type { Ask } from './wire.ts'

const operation = 'receipts'
/** Blocks that are fetched at the same time. */
const parallel = 8
/** Milliseconds without a block after which a fetch is given up. */
const stallTimeout = 15_000
/** The longest time for a whole fetch: some seconds, and more by its size. */
const slowest = { first: 30_000, bytesPerMs: 64 } as const

export interface PossessionParts {
  readonly calls: Calls
  readonly identity: Identity
  readonly environment: Environment
  readonly kept: KeptContent
}

/** Fetches content that others want this peer to keep, and proves that it is here. */
export class Possession {
  readonly #parts: PossessionParts

  constructor(parts: PossessionParts) {
    this.#parts = parts
  }

  /** Fetches the missing blocks, within the asker's budget, and protects the content. */
  async obtain(asker: string, ask: Ask, signal: AbortSignal): Promise<void> {
    const { calls, kept, environment } = this.#parts
    const { cid, bytes, blocks, providers } = ask
    const { transport, capabilities } = calls.blocks(operation)
    const limit = slowest.first + bytes / slowest.bytesPerMs
    const began = environment.clock.now()
    await calls.run({ signal, timeout: stallTimeout }, stallTimeout, operation, async (countdown) => {
      const own = await this.#isOwn(cid, countdown)
      const root = await kept.reserve(asker, cid, costOf(ask))
      if (root === undefined) throw new P2plError({ code: 'TOO_LARGE', operation, message: 'no room is left for it' })
      if (own) kept.pinned(cid)
      const fetch = calls.fetcher(operation, { providers }, countdown, cid)
      const read = async (each: CID): Promise<Uint8Array> => {
        const here = identityBytes(each, operation) !== undefined || (await this.#has(each, countdown.signal))
        const block = await fetch(each)
        if (!here) {
          kept.fetched(root, each, block.byteLength)
          if (!capabilities.keepsFetched) {
            await calls.port(operation, () =>
              transport.putMany([{ cid: each, bytes: block }], { signal: countdown.signal })
            )
          }
        }
        if (environment.clock.now() - began < limit) countdown.renew()
        return block
      }
      const limits = { bytes, blocks: Math.min(blocks, maxBlocks) }
      const dag = await readDag(cid, { operation, parallel, limits, clock: environment.clock, read })
      // Recorded before the pin: a pin without a record would stay forever.
      await countdown.race(kept.promise(root, asker, costOf({ bytes: dag.bytes, blocks: dag.cids.length })))
      if (!root.own) await this.#pin(root, countdown)
    })
  }

  /** The signed statement, with a proof over the blocks that are stored here now. Throws `NOT_FOUND` if one is missing. */
  async acknowledge(asker: string, ask: Ask, term: number, signal: AbortSignal): Promise<Uint8Array> {
    const { calls, identity, environment } = this.#parts
    const { clock } = environment
    const { cid, nonce, challenge } = ask
    return await calls.run({ signal, timeout: stallTimeout }, stallTimeout, operation, async (countdown) => {
      const local = calls.fetcher(operation, { local: true }, countdown, cid)
      const read = async (each: CID): Promise<Uint8Array> => {
        const bytes = await local(each)
        countdown.renew()
        return bytes
      }
      const limits = { bytes: ask.bytes, blocks: ask.blocks }
      const { cids, bytes }: Dag = await readDag(cid, { operation, parallel: 1, limits, clock, read })
      const proof = await proofOf(cids, { nonce, peer: identity.id, challenge }, clock, read)
      const challenged = Math.min(challenge, cids.length)
      const said = { asker, cid, nonce, bytes, blocks: cids.length, challenged, proof, term: Math.floor(term) }
      return await signAcknowledgement({ ...said, at: Math.max(0, Math.floor(clock.wall())) }, identity)
    })
  }

  async #pin({ cid }: Kept, countdown: Countdown): Promise<void> {
    const { calls } = this.#parts
    const { transport } = calls.blocks(operation)
    const onProgress = (): void => {
      countdown.renew()
    }
    await calls.port(operation, () => transport.pin(cid, { recursive: true, onProgress, signal: countdown.signal }))
  }

  async #has(cid: CID, signal: AbortSignal): Promise<boolean> {
    const { calls } = this.#parts
    return await calls.port(operation, () => calls.blocks(operation).transport.has(cid, { signal }))
  }

  /** Whether the app has pinned it. For content that is already kept for others, its record has the answer. */
  async #isOwn(cid: CID, countdown: Countdown): Promise<boolean> {
    const { calls, kept } = this.#parts
    if (kept.get(cid) !== undefined || !(await this.#has(cid, countdown.signal))) return false
    for await (const pin of calls.blocks(operation).transport.pins({ signal: countdown.signal })) {
      countdown.renew()
      if (pin.recursive && bytesKey(pin.cid.multihash.bytes) === bytesKey(cid.multihash.bytes)) return true
    }
    return false
  }
}

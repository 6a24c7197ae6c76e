import {
  type Block,
  BoundedMap,
  bytesKey,
  isP2plError,
  P2plError,
  type PeerInfo,
  Slots,
  verifyBlock
} from '@p2pl/core/backend'
import { copyDag } from '../legs/copy-dag.ts'
import type { Leg } from '../legs/leg.ts'
import type { Legs } from '../legs/legs.ts'
import { Budget } from './budget.ts'
import { Kept } from './kept.ts'

type Cid = Block['cid']

/** How many contents are carried at once, in total and for one sender; how many wait for one sender; how many are remembered. */
const atOnce = 8
const ofSender = 2
const maxWaitingOfSender = 32
const maxRemembered = 8_192
/**
 * A content is given up when its next block does not come within this many milliseconds. It is tried again when a message
 * names it again.
 */
const patience = 60_000

export interface CarrierOptions {
  readonly legs: Legs
  readonly signal: AbortSignal
  readonly bytesPerSecond: number
  readonly maxContentBytes: number
  readonly maxStoredBytes: number
  readonly onWarning: (message: string) => void
}

export interface Load {
  readonly cid: Cid
  readonly sender: string
  readonly from: Leg
  readonly to: Leg
  /** Peers that probably have it, on the network that it comes from. */
  readonly providers: readonly PeerInfo[]
  /** Its size, as its sender claims. */
  readonly size?: number | undefined
}

/** Brings content from the network of one leg to that of the other, each content once. */
export class Carrier {
  readonly #options: CarrierOptions
  readonly #budget: Budget
  readonly #kept: Kept
  readonly #slots = new Slots(atOnce)
  readonly #senders = new Map<string, { readonly slots: Slots; count: number }>()
  /** By direction and CID. */
  readonly #carried = new BoundedMap<string, true>(maxRemembered)

  constructor(options: CarrierOptions) {
    this.#options = options
    this.#budget = new Budget(options.legs.clock, options.bytesPerSecond)
    this.#kept = new Kept(options.maxStoredBytes)
  }

  /** Begins to carry it; nobody waits for the end. */
  carry(load: Load): void {
    const { cid, sender, to, from } = load
    const key = `${to.name}/${cid.code}/${bytesKey(cid.multihash.bytes)}`
    const lane = this.#senders.get(sender) ?? { slots: new Slots(ofSender), count: 0 }
    if (this.#carried.touch(key) !== undefined || lane.count >= maxWaitingOfSender) return
    if (from.backend.blocks === undefined || to.backend.blocks === undefined) return
    this.#carried.set(key, true)
    this.#senders.set(sender, lane)
    lane.count++
    const { signal } = this.#options
    lane.slots
      .run(async () => await this.#slots.run(async () => await this.#copy(load), signal), signal)
      .catch((error: unknown) => {
        // A message may name it again.
        this.#carried.delete(key)
        if (isP2plError(error, 'TOO_LARGE')) this.#options.onWarning(`a content did not cross: ${error.message}`)
      })
      .finally(() => {
        if (--lane.count === 0) this.#senders.delete(sender)
      })
  }

  async #copy({ cid, sender, from, to, providers, size = Infinity }: Load): Promise<void> {
    const { legs, maxContentBytes } = this.#options
    const end = new AbortController()
    const { signal } = end
    const onAbort = (): void => end.abort(this.#options.signal.reason)
    this.#options.signal.addEventListener('abort', onAbort, { once: true })
    let timer: unknown
    const renew = (): void => {
      legs.clock.clearTimeout(timer)
      timer = legs.clock.setTimeout(() => {
        end.abort(
          new P2plError({ code: 'TIMEOUT', message: `no block of ${cid.toString()} came within ${patience} ms` })
        )
      }, patience)
    }
    const source = from.backend.blocks as NonNullable<Leg['backend']['blocks']>
    const target = to.backend.blocks as NonNullable<Leg['backend']['blocks']>
    const hook = { signal }
    renew()
    try {
      await copyDag(cid, {
        signal,
        // A file needs some additional bytes for its inner nodes.
        maxBytes: Math.min(maxContentBytes, size * 1.1 + 65_536),
        has: async (block) => await legs.run(to, 'blocks.has', hook, async (inner) => await target.has(block, inner)),
        get: async (block) => {
          const had = await legs.run(from, 'blocks.has', hook, async (inner) => await source.has(block, inner))
          const bytes = await legs.run(from, 'blocks.get', hook, async (inner) =>
            source.get(block, { ...inner, providers, root: cid })
          )
          await verifyBlock(block, bytes, 'blocks.get', from.name)
          if (!this.#budget.take(sender, bytes.byteLength)) throw overBudget(cid)
          if (!had) this.#kept.add(from, cid, block, bytes.byteLength)
          renew()
          return bytes
        },
        put: async (block) => {
          await legs.run(to, 'blocks.putMany', hook, async (inner) => await target.putMany([block], inner))
          this.#kept.add(to, cid, block.cid, block.bytes.byteLength)
        }
      })
      await this.#provide(to, cid, signal)
    } finally {
      legs.clock.clearTimeout(timer)
      this.#options.signal.removeEventListener('abort', onAbort)
      await this.#kept.shrink()
    }
  }

  /** Connected peers find it without a record. */
  async #provide(leg: Leg, cid: Cid, signal: AbortSignal): Promise<void> {
    const { routing, capabilities } = leg.backend
    if ((capabilities.routing?.provide ?? 'none') === 'none') return
    await this.#options.legs
      .run(leg, 'routing.provide', { signal }, async (inner) => await routing?.provide(cid, inner))
      .catch(() => undefined)
  }
}

function overBudget(cid: Cid): P2plError {
  const message = `the sender of ${cid.toString()} has used up its budget of content for now`
  return new P2plError({ code: 'OVERLOADED', message })
}

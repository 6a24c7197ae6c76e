import type { CID } from 'multiformats/cid'
import type { Clock } from '../clock.ts'
import { isP2plError } from '../errors.ts'
import type { BlockTransport } from '../port/blocks.ts'
import { bytesKey } from '../toolbox/bytes.ts'
import type { KeptRecord, KeptRecords } from './records.ts'
import type { KeepSettings } from './settings.ts'
import { KeyedQueue } from '../toolbox/keyed-queue.ts'

/** Maximum number of roots that are kept, in total and for one stranger. */
const maxRoots = 4_096
const maxRootsOfStranger = 64
/** What a block counts in addition to its bytes. */
const blockCost = 256

/** The amount that content counts against the budgets. */
export function costOf({ bytes, blocks }: { readonly bytes: number; readonly blocks: number }): number {
  return bytes + blocks * blockCost
}

/** Peers that the app has named, and all others. */
export type Class = 'known' | 'strangers'

/** A root that is kept for others. */
export interface Kept {
  readonly cid: CID
  /** The amount that it counts against the budgets. */
  cost: number
  /** The app holds it as well, so its pin and its blocks belong to the app. */
  own: boolean
  /**
   * Blocks that were fetched only for this root, by key. `undefined`, meaning unknown, for a root from an earlier run of
   * the process.
   */
  fetched: Map<string, { readonly cid: CID; readonly size: number }> | undefined
  /**
   * The peers that it is kept for, and the time on the monotonic clock until which it is kept. `Infinity` while it is being
   * fetched.
   */
  readonly askers: Map<string, number>
}

export interface KeptParts {
  readonly settings: KeepSettings
  readonly clock: Clock
  readonly transport: BlockTransport
  readonly records: KeptRecords
  /** Fires when the peer stops. */
  readonly signal: AbortSignal
  /** Takes errors that happen outside of any call. */
  readonly onError: (error: unknown) => void
}

/** What this peer keeps for others, within budgets, until the promised time is over. Content of the app is never removed. */
export class KeptContent {
  readonly #parts: KeptParts
  readonly #roots = new Map<string, Kept>()
  readonly #fetched = new Map<string, Kept>()
  /** Bytes that may still be in the store because their removal was not certain. They count until a `gc` has run. */
  readonly #leftovers: Record<Class, number> = { known: 0, strangers: 0 }
  readonly #queue = new KeyedQueue()
  #timer: unknown

  constructor(parts: KeptParts) {
    this.#parts = parts
  }

  get #now(): number {
    return this.#parts.clock.now()
  }

  async load(): Promise<void> {
    const { roots, leftovers } = await this.#parts.records.load()
    Object.assign(this.#leftovers, leftovers)
    for (const { cid, cost, own, askers } of roots) {
      const until = new Map(askers.map(({ peer, left }) => [peer, this.#now + left]))
      this.#roots.set(keyOf(cid), { cid, cost, own, fetched: undefined, askers: until })
    }
    this.#wait()
  }

  /** Runs the work on one CID one piece after the other. */
  async inTurn<T>(cid: CID, work: () => Promise<T>): Promise<T> {
    return await this.#queue.run(keyOf(cid), work)
  }

  get(cid: CID): Kept | undefined {
    return this.#roots.get(keyOf(cid))
  }

  classOf(asker: string): Class | undefined {
    const { peers, strangers } = this.#parts.settings
    if (peers.has(asker)) return 'known'
    return strangers.total > 0 ? 'strangers' : undefined
  }

  /** Bytes that this peer would still keep for the asker. */
  free(asker: string): number {
    const kind = this.classOf(asker)
    if (kind === undefined || this.#roots.size >= maxRoots) return 0
    const { total, each } = this.#parts.settings[kind]
    let [own, all, roots] = [0, this.#leftovers[kind], 0]
    for (const { cost, askers } of this.#roots.values()) {
      if (askers.has(asker)) {
        own += cost
        roots++
      }
      if ([...askers.keys()].some((other) => this.classOf(other) === kind)) all += cost
    }
    if (kind === 'strangers' && roots >= maxRootsOfStranger) return 0
    return Math.max(0, Math.min(each - own, total - all))
  }

  /**
   * Reserves a place for it within the budgets, or returns `undefined`. The place is recorded before anything is fetched,
   * so that blocks left behind by a process that dies still count.
   */
  async reserve(asker: string, cid: CID, cost: number): Promise<Kept | undefined> {
    const known = this.get(cid)
    if (known?.askers.has(asker) !== true && this.free(asker) < (known?.cost ?? cost)) return undefined
    const root: Kept = known ?? { cid, cost, own: false, fetched: new Map(), askers: new Map() }
    root.askers.set(asker, Infinity)
    this.#roots.set(keyOf(cid), root)
    await this.#save()
    return root
  }

  /** A block arrived that was not here before. */
  fetched(root: Kept, cid: CID, size: number): void {
    if (root.fetched === undefined) return
    const key = keyOf(cid)
    root.fetched.set(key, { cid, size })
    this.#fetched.set(key, root)
  }

  /** All of the content is here, and `cost` is its final amount. Resolves when the promise would survive the end of the process. */
  async promise(root: Kept, asker: string, cost: number): Promise<void> {
    root.cost = cost
    root.askers.set(asker, this.#now + this.#parts.settings.term)
    this.#wait()
    await this.#save()
  }

  /**
   * The ask has failed: restores the promise until `before`, or removes the asking peer if there was none. Call it inside
   * {@link inTurn}.
   */
  async takeBack(cid: CID, asker: string, before: number | undefined): Promise<void> {
    if (before === undefined) await this.#release(cid, asker)
    else this.get(cid)?.askers.set(asker, before)
    this.#wait()
  }

  /** Stops keeping it for the asking peer. When no asking peer is left, the content is removed completely. */
  async release(cid: CID, asker: string): Promise<void> {
    await this.inTurn(cid, () => this.#release(cid, asker))
  }

  async #release(cid: CID, asker: string): Promise<void> {
    const root = this.get(cid)
    if (root?.askers.delete(asker) !== true) return
    if (root.askers.size === 0) await this.#drop(root, this.classOf(asker) ?? 'known')
    await this.#save()
  }

  /** The app has stored the block, so it stays. */
  stored(cid: CID): void {
    const key = keyOf(cid)
    this.#fetched.get(key)?.fetched?.delete(key)
    this.#fetched.delete(key)
  }

  /** The app has pinned it as well. */
  pinned(cid: CID): void {
    const root = this.get(cid)
    if (root === undefined) return
    root.own = true
    for (const key of root.fetched?.keys() ?? []) this.#fetched.delete(key)
    root.fetched = new Map()
  }

  /** The app has ended the pin. The app decides about its store, so the promises to all askers end. */
  async unpinned(cid: CID): Promise<void> {
    for (const asker of this.get(cid)?.askers.keys() ?? []) await this.release(cid, asker)
  }

  collected(): void {
    Object.assign(this.#leftovers, { known: 0, strangers: 0 })
    this.#save().catch(this.#parts.onError)
  }

  stop(): void {
    this.#parts.clock.clearTimeout(this.#timer)
  }

  async #drop(root: Kept, kind: Class): Promise<void> {
    const { transport, signal } = this.#parts
    const fetched = [...(root.fetched?.values() ?? [])]
    try {
      if (!root.own) await transport.unpin(root.cid, { signal })
      // The app may have stored some of these blocks meanwhile; they are its own then.
      for (const { cid, size } of fetched) {
        if (this.#fetched.get(keyOf(cid)) === root && !(await this.#delete(cid))) this.#leftovers[kind] += size
      }
      if (root.fetched === undefined && !root.own) this.#leftovers[kind] += root.cost
    } catch (error) {
      // The store fails, or the peer is stopping.
      if (!isP2plError(error)) throw error
      this.#leftovers[kind] += root.cost
    }
    for (const { cid } of fetched) if (this.#fetched.get(keyOf(cid)) === root) this.#fetched.delete(keyOf(cid))
    if (this.#roots.get(keyOf(root.cid)) === root) this.#roots.delete(keyOf(root.cid))
  }

  /** Returns false if a pin holds the block. */
  async #delete(cid: CID): Promise<boolean> {
    const { transport, signal } = this.#parts
    try {
      await transport.delete(cid, { signal })
      return true
    } catch (error) {
      if (isP2plError(error, 'PINNED')) return false
      throw error
    }
  }

  async #expire(): Promise<void> {
    const now = this.#now
    for (const { cid, askers } of this.#roots.values()) {
      for (const [asker, until] of askers) {
        if (until > now) continue
        await this.inTurn(cid, async () => {
          // A peer may have asked for it again meanwhile.
          if (askers.get(asker) === until) await this.#release(cid, asker)
        })
      }
    }
    this.#wait()
  }

  #wait(): void {
    const { clock, signal } = this.#parts
    clock.clearTimeout(this.#timer)
    let next = Infinity
    for (const { askers } of this.#roots.values()) for (const until of askers.values()) next = Math.min(next, until)
    if (next === Infinity || signal.aborted) return
    this.#timer = clock.setTimeout(() => {
      this.#expire().catch(this.#parts.onError)
    }, next - this.#now)
  }

  async #save(): Promise<void> {
    const roots = [...this.#roots.values()].map(({ cid, cost, own, askers }): KeptRecord => {
      const lefts = [...askers].map(([peer, until]) => ({
        peer,
        left: Math.max(0, Math.min(until - this.#now, this.#parts.settings.term))
      }))
      return { cid, cost, own, askers: lefts }
    })
    await this.#parts.records.save({ roots, leftovers: { ...this.#leftovers } })
  }
}

function keyOf(cid: CID): string {
  return bytesKey(cid.multihash.bytes)
}

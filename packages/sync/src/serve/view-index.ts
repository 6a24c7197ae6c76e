import { equalBytes } from '../bytes.ts'
import type { Bytes } from '../bytes.ts'
import { checkEntry, Damaged } from '../entry/damage.ts'
import { keyOf } from '../entry/key.ts'
import type { Key } from '../entry/key.ts'
import type { SyncNetwork } from '../replica/network.ts'
import type { Store } from '../store/store.ts'
import { Slots } from '@p2pl/core/backend'
import type { Timers } from '../toolbox/timers.ts'
import type { Root } from '../tree/levels.ts'
import { IndexTree } from '../tree/tree.ts'
import { BorrowedBlocks } from './borrowed.ts'
import { Served } from './served.ts'
import { Server } from './server.ts'

export interface ViewIndexOptions {
  readonly store: Store
  readonly network: SyncNetwork
  readonly timers: Timers
  readonly period: number
  readonly onDamage: (key: Key) => void
  /** A root was computed. `changed`: it differs from the previous one. */
  readonly onRoot: (root: Root, changed: boolean) => void
}

/**
 * The index over the store: its root, the part of it that the backend serves, and the blocks that are borrowed from
 * others.
 */
export class ViewIndex {
  /** A lock that commits and flushes take. */
  readonly lock: Slots = new Slots(1)
  readonly tree: IndexTree
  readonly served: Served
  readonly blocks: BorrowedBlocks
  readonly #options: ViewIndexOptions
  readonly #server: Server
  /** The root that the store had when it was opened, for when the current one cannot be computed. */
  #storedRoot: Root | undefined

  constructor(options: ViewIndexOptions) {
    this.#options = options
    const { store, network, timers, period, onDamage } = options
    const handingOver = new Slots(1)
    this.served = new Served(network, store, timers, period)
    this.blocks = new BorrowedBlocks(network, store, handingOver)
    this.#server = new Server({ network, served: this.served, lock: this.lock, handingOver, onDamage })
    this.tree = new IndexTree(store, this.#server)
    this.#server.attach(this.tree)
  }

  /** Brings an index up to date that lags behind the store after a crash. Otherwise it reads only a few keys. */
  async start(): Promise<void> {
    try {
      await this.root()
    } catch (error) {
      if (!(error instanceof Damaged)) throw error
      this.#storedRoot = await this.tree.stored()
    }
    // Nobody waits for it.
    void this.blocks.resume()
  }

  /** The root of all entries that are here. Rejects with `Damaged` if a damaged entry prevents computing it. */
  async root(): Promise<Root> {
    if (this.tree.clean) return this.tree.known as Root
    const before = this.tree.known
    const root = await this.#reporting(async () => await this.lock.run(async () => await this.tree.flush()))
    this.#options.onRoot(root, before !== undefined && !equalBytes(before.digest, root.digest))
    return root
  }

  /** The number of entries that are here. */
  get count(): number {
    return this.#options.store.count
  }

  /** The number of entries that are not in the last computed root. */
  get unindexed(): number {
    return this.#options.store.unindexed
  }

  /** The last computed root. */
  get lastRoot(): Root {
    return (this.tree.known ?? this.#storedRoot) as Root
  }

  /** Makes the index available by CID: all of it (`whole`), or all nodes except those above a damaged entry. */
  async publish(): Promise<{ root: Root; whole: boolean }> {
    const published = await this.#reporting(async () => await this.#server.publish())
    this.#options.onRoot(published.root, false)
    return published
  }

  /** A damaged entry was repaired: the nodes above it can be served. */
  mended(): void {
    this.#server.mended()
  }

  /** The bytes of an entry. Rejects with `Damaged` if they no longer match its CID. */
  async entry(digest: Bytes): Promise<Bytes | undefined> {
    const { store } = this.#options
    const clock = await store.clockOf(digest)
    const bytes = clock === undefined ? undefined : await store.entry(digest)
    if (clock === undefined || bytes === undefined) return undefined
    await this.#reporting(async () => await checkEntry(keyOf(clock, digest), bytes))
    return bytes
  }

  async #reporting<T>(work: () => Promise<T>): Promise<T> {
    try {
      return await work()
    } catch (error) {
      if (error instanceof Damaged) this.#options.onDamage(error.key)
      throw error
    }
  }
}

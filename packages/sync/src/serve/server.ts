import type { Block } from '@p2pl/core'
import type { Slots } from '@p2pl/core/backend'
import { equalBytes, mapKey } from '../bytes.ts'
import type { Bytes } from '../bytes.ts'
import { cidOf, hash } from '../cid.ts'
import { checkEntry, Damaged } from '../entry/damage.ts'
import type { Key } from '../entry/key.ts'
import type { SyncNetwork } from '../replica/network.ts'
import type { Place, Root } from '../tree/levels.ts'
import { encodeLeaf } from '../tree/node.ts'
import type { IndexTree, TreeObserver } from '../tree/tree.ts'
import { NodeCache } from './node-cache.ts'
import { servedNode } from './served.ts'
import type { Served } from './served.ts'

/** How many blocks are handed to the backend at once. */
const batchBlocks = 64
const batchBytes: number = 4 * 1024 * 1024

interface Unpublished {
  readonly digest: Bytes
  readonly place: Place
}

export interface ServerOptions {
  readonly network: SyncNetwork
  readonly served: Served
  /** A lock that commits and flushes take. */
  readonly lock: Slots
  /** Held while blocks are handed over. */
  readonly handingOver: Slots
  /** A stored entry no longer hashes to its CID: the nodes above it cannot be served until it is repaired. */
  readonly onDamage: (key: Key) => void
}

/** What the backend serves to others by CID: the nodes of the published index and of the last few. */
export class Server implements TreeObserver {
  readonly #options: ServerOptions
  /** Nodes that are in the index but not in the backend, and the other way round. */
  readonly #unpublished: Map<string, Unpublished> = new Map()
  readonly #superseded: Map<string, Bytes> = new Map()
  readonly #cache: NodeCache = new NodeCache()
  #published: Bytes | undefined
  /**
   * Whether all nodes of the published root were handed over. The root stays published while nodes above damaged
   * entries are missing.
   */
  #whole = true
  #resumed = false
  #emptyServed = false
  #tree: IndexTree | undefined

  constructor(options: ServerOptions) {
    this.#options = options
  }

  attach(tree: IndexTree): void {
    this.#tree = tree
  }

  added(digest: Bytes, place: Place, bytes: Bytes): void {
    this.#superseded.delete(mapKey(digest))
    this.#unpublished.set(mapKey(digest), { digest, place })
    this.#cache.add(digest, bytes)
  }

  removed(digest: Bytes): void {
    this.#cache.delete(digest)
    if (!this.#unpublished.delete(mapKey(digest))) this.#superseded.set(mapKey(digest), digest)
  }

  /** A damaged entry was repaired: the nodes above it are handed over with the next root. */
  mended(): void {
    this.#published = undefined
  }

  /**
   * Makes the nodes of the current root available by CID: all of them (`whole`), or all except those above damaged
   * entries. Rejects with `Damaged` when a damaged entry prevents computing the root.
   */
  async publish(): Promise<{ root: Root; whole: boolean }> {
    return await this.#options.handingOver.run(async () => {
      const tree = this.#tree as IndexTree
      if (!this.#resumed) await this.#resume(tree)
      const unlocked = async <T>(work: () => Promise<T>): Promise<T> => await work()
      const locked = async <T>(work: () => Promise<T>): Promise<T> => await this.#options.lock.run(work)
      const damaged = new Set<string>()
      for (let attempt = 0; ; attempt++) {
        // A peer that writes all the time would always get ahead of the handover. After three attempts, writing waits
        // for it once.
        const [outer, inner] = attempt < 3 ? [unlocked, locked] : [locked, unlocked]
        const root = await outer(async () => {
          const flushed = await inner(async () => await tree.flush())
          if (this.#isPublished(flushed)) return flushed
          if (!(await this.#handOver(tree, inner, damaged))) return undefined
          this.#whole = damaged.size === 0
          return flushed
        })
        if (root === undefined) continue
        if (root.place === undefined) await this.#serveEmpty(root)
        if (!this.#isPublished(root)) {
          this.#published = root.digest
          await this.#options.served.published(this.#superseded.values())
          this.#superseded.clear()
        }
        return { root, whole: this.#whole }
      }
    })
  }

  #isPublished(root: Root): boolean {
    return root.place === undefined || (this.#published !== undefined && equalBytes(this.#published, root.digest))
  }

  /** An empty view has no place in the index. But another peer may have its root and read it. */
  async #serveEmpty({ digest }: Root): Promise<void> {
    if (this.#emptyServed) return
    await this.#options.served.note([digest], servedNode)
    await this.#options.network.put([{ cid: cidOf(digest), bytes: encodeLeaf([]) }])
    this.#emptyServed = true
  }

  /** Returns false when the index has moved on and the nodes no longer belong to its root. */
  async #handOver(
    tree: IndexTree,
    locked: <T>(work: () => Promise<T>) => Promise<T>,
    damaged: Set<string>
  ): Promise<boolean> {
    let batch: Block[] = []
    let digests: Bytes[] = []
    let bytesOfBatch = 0
    const put = async (): Promise<void> => {
      if (batch.length === 0) return
      await this.#options.served.note(digests, servedNode)
      await this.#options.network.put(batch)
      for (const digest of digests) this.#handedOver(digest)
      batch = []
      digests = []
      bytesOfBatch = 0
    }
    for (const [id, { digest, place }] of Array.from(this.#unpublished)) {
      if (damaged.has(id)) continue
      let bytes = this.#cache.get(digest)
      if (bytes === undefined) {
        bytes = await locked(async () => await tree.levels.encode(place))
        if (!equalBytes(await hash(bytes), digest)) {
          if (!(await locked(async () => await this.#isDamaged(tree, digest, place)))) return false
          damaged.add(id)
          continue
        }
      }
      batch.push({ cid: cidOf(digest), bytes })
      digests.push(digest)
      bytesOfBatch += bytes.length
      if (batch.length >= batchBlocks || bytesOfBatch >= batchBytes) await put()
    }
    await put()
    return true
  }

  #handedOver(digest: Bytes): void {
    this.#cache.delete(digest)
    // The node was superseded during the handover, but it is in the backend now.
    if (!this.#unpublished.delete(mapKey(digest))) this.#superseded.set(mapKey(digest), digest)
  }

  /**
   * The store now makes a node that differs from the index. Either the index has moved on, or something in the store is
   * damaged: an entry, which others have, or a row of the index, which is rebuilt here.
   */
  async #isDamaged(tree: IndexTree, digest: Bytes, place: Place): Promise<boolean> {
    await tree.flush()
    const isCurrent = async (): Promise<boolean> => {
      const found = await tree.levels.node(place)
      return found !== undefined && equalBytes(found.digest, digest)
    }
    if (!(await isCurrent()) || equalBytes(await hash(await tree.levels.encode(place)), digest)) return false
    let entries = 0
    if (place.level === 0) {
      for await (const items of tree.levels.content(place)) {
        for (const { key, bytes } of items) {
          try {
            await checkEntry(key, bytes as Bytes)
          } catch (error) {
            if (!(error instanceof Damaged)) throw error
            entries++
            this.#options.onDamage(key)
          }
        }
      }
    }
    if (entries > 0) return true
    await tree.doubt(place)
    await tree.flush()
    // If rebuilding gives the same row, the node is left out until it can be rebuilt correctly.
    return await isCurrent()
  }

  /** After a start: finds out which blocks of earlier runs the backend still has, and which it lacks. */
  async #resume(tree: IndexTree): Promise<void> {
    const { served, lock } = this.#options
    const { all: leftovers, nodes } = await served.leftovers()
    const trusted = await served.stillThere(nodes.values())
    await lock.run(async () => {
      await tree.flush()
      for await (const { digest, place } of tree.levels.all()) {
        const id = mapKey(digest)
        leftovers.delete(id)
        if (trusted && nodes.has(id)) this.#unpublished.delete(id)
        else this.#unpublished.set(id, { digest, place })
      }
    })
    this.#superseded.clear()
    await served.drop([...leftovers.values()])
    this.#resumed = true
  }
}

import type { Block } from '@p2pl/core'
import { equalBytes, mapKey } from '../bytes.ts'
import type { Bytes } from '../bytes.ts'
import { cidOf, hash } from '../cid.ts'
import type { EntryRecord } from '../entry/codec.ts'
import { encodeLeaf } from '../index/node.ts'
import type { IndexTree, Place, Root, TreeObserver } from '../index/tree.ts'
import { limits } from '../limits.ts'
import type { Operation } from '../store/database.ts'
import { tableEnd, tableKey, tableStart, withoutTable } from '../store/keys.ts'
import type { Store } from '../store/store.ts'
import { Mutex } from './mutex.ts'
import type { SyncNetwork } from './network.ts'

const cacheBytes = 8 * 1024 * 1024
/** A node is served until so many newer roots were published and so much time went by. */
const keptRoots = 4
const keptPeriods = 8
const node = Uint8Array.of(1)
const entry = Uint8Array.of(2)

/**
 * What the backend serves to others by CID: the nodes of the published index, those of the last few, and recent entries.
 * The store notes every block before it is handed over, so that what a crash leaves in the backend is known and dropped.
 */
export class Server implements TreeObserver {
  readonly #network: SyncNetwork
  readonly #store: Store
  readonly #lock: Mutex
  readonly #now: () => number
  readonly #period: number
  readonly #publishing: Mutex = new Mutex()
  /** Nodes that are in the index but not with the backend, and the other way round. */
  readonly #unpublished: Map<string, { readonly digest: Bytes; readonly place: Place }> = new Map()
  readonly #superseded: Map<string, Bytes> = new Map()
  readonly #cache: Map<string, Bytes> = new Map()
  #cachedBytes = 0
  #retired: { digest: Bytes; publication: number; at: number }[] = []
  #entries: Bytes[] = []
  #publication = 0
  #published: Bytes | undefined
  #resumed = false
  #emptyServed = false
  #tree: IndexTree | undefined

  constructor(network: SyncNetwork, store: Store, lock: Mutex, now: () => number, period: number) {
    this.#network = network
    this.#store = store
    this.#lock = lock
    this.#now = now
    this.#period = period
  }

  attach(tree: IndexTree): void {
    this.#tree = tree
  }

  added(digest: Bytes, place: Place, bytes: Bytes): void {
    const id = mapKey(digest)
    this.#superseded.delete(id)
    this.#unpublished.set(id, { digest, place })
    this.#cache.set(id, bytes)
    this.#cachedBytes += bytes.length
    for (const [oldest, { length }] of this.#cache) {
      if (this.#cachedBytes <= cacheBytes) break
      this.#cache.delete(oldest)
      this.#cachedBytes -= length
    }
  }

  removed(digest: Bytes): void {
    const id = mapKey(digest)
    this.#uncache(id)
    if (!this.#unpublished.delete(id)) this.#superseded.set(id, digest)
  }

  #uncache(id: string): void {
    const bytes = this.#cache.get(id)
    if (bytes === undefined) return
    this.#cache.delete(id)
    this.#cachedBytes -= bytes.length
  }

  /** Makes all nodes of the current root available by CID and gives the root. */
  async publish(): Promise<Root> {
    return await this.#publishing.run(async () => {
      const tree = this.#tree as IndexTree
      if (!this.#resumed) await this.#resume(tree)
      for (let attempt = 0; ; attempt++) {
        const flush = async (): Promise<Root> => await tree.flush()
        const settled = (root: Root): boolean =>
          root.place === undefined || (this.#published !== undefined && equalBytes(this.#published, root.digest))
        const free = async <T>(work: () => Promise<T>): Promise<T> => await work()
        const lock = async <T>(work: () => Promise<T>): Promise<T> => await this.#lock.run(work)
        // Whoever writes all the time would overtake it for ever: then writing waits, once.
        const [outer, inner] = attempt < 3 ? [free, lock] : [lock, free]
        const done = await outer(async () => {
          const root = await inner(flush)
          return settled(root) || (await this.#handOver(tree, inner)) ? root : undefined
        })
        if (done === undefined) continue
        if (done.place === undefined) await this.#serveEmpty(done)
        if (!settled(done)) {
          this.#published = done.digest
          this.#publication++
          await this.#retire()
        }
        return done
      }
    })
  }

  /** The view without entries is no place in the index, but somebody may have its root, and read it. */
  async #serveEmpty({ digest }: Root): Promise<void> {
    if (this.#emptyServed) return
    await this.#note([digest], node)
    await this.#network.put([{ cid: cidOf(digest), bytes: encodeLeaf([]) }])
    this.#emptyServed = true
  }

  /** False when the index moved on and the nodes belong to no root any more. */
  async #handOver(tree: IndexTree, locked: <T>(work: () => Promise<T>) => Promise<T>): Promise<boolean> {
    const all = [...this.#unpublished]
    let overtaken = false
    const cache = this.#cache
    async function* blocks(): AsyncGenerator<Block, void, undefined> {
      for (const [id, { digest, place }] of all) {
        const bytes = cache.get(id) ?? (await locked(async () => await tree.encode(place)))
        if (!cache.has(id) && !equalBytes(await hash(bytes), digest)) {
          overtaken = true
          return
        }
        yield { cid: cidOf(digest), bytes }
      }
    }
    await this.#note(
      all.map(([, { digest }]) => digest),
      node
    )
    await this.#network.put(blocks())
    if (overtaken) return false
    for (const [id, { digest }] of all) {
      this.#uncache(id)
      // Superseded while it was being handed over: with the backend it is all the same.
      if (!this.#unpublished.delete(id)) this.#superseded.set(id, digest)
    }
    return true
  }

  /** Recent entries, so that others can chase them one by one. */
  async serveEntries(entries: readonly EntryRecord[]): Promise<void> {
    const last = entries.slice(-limits.servedPerBurst)
    await this.#note(
      last.map(({ digest }) => digest),
      entry
    )
    await this.#network.put(last.map(({ digest, bytes }) => ({ cid: cidOf(digest), bytes })))
    for (const { digest } of last) this.#entries.push(digest)
    if (this.#entries.length > limits.servedEntries + limits.servedPerBurst) {
      await this.#drop(this.#entries.splice(0, this.#entries.length - limits.servedEntries))
    }
  }

  async #note(digests: readonly Bytes[], value: Bytes): Promise<void> {
    const operations = digests.map((digest): Operation => ({ type: 'put', key: tableKey('served', digest), value }))
    await this.#store.tables.write(operations, false)
  }

  async #drop(digests: readonly Bytes[]): Promise<void> {
    for (let i = 0; i < digests.length; i += 8) {
      await Promise.all(digests.slice(i, i + 8).map(async (digest) => await this.#network.remove(digest)))
    }
    const operations = digests.map((digest): Operation => ({ type: 'del', key: tableKey('served', digest) }))
    await this.#store.tables.write(operations, false)
  }

  async #retire(): Promise<void> {
    const now = this.#now()
    for (const digest of this.#superseded.values()) {
      this.#retired.push({ digest, publication: this.#publication, at: now })
    }
    this.#superseded.clear()
    const old = (one: { publication: number; at: number }): boolean =>
      one.publication + keptRoots <= this.#publication && one.at + keptPeriods * this.#period <= now
    const gone = this.#retired.filter(old)
    if (gone.length === 0) return
    this.#retired = this.#retired.filter((one) => !old(one))
    // A root that came back is not superseded.
    await this.#drop(gone.map(({ digest }) => digest))
  }

  /** After a start: what the backend still has of earlier runs, and what it lacks. */
  async #resume(tree: IndexTree): Promise<void> {
    const served = new Map<string, Bytes>()
    const leftovers = new Map<string, Bytes>()
    for await (const rows of this.#store.tables.scan({ gte: tableStart('served'), lt: tableEnd('served') })) {
      for (const [key, value] of rows) {
        const digest = withoutTable(key)
        if (value[0] === node[0]) served.set(mapKey(digest), digest)
        leftovers.set(mapKey(digest), digest)
      }
    }
    const trusted = served.size > 0 && (await this.#stillThere(served))
    await this.#lock.run(async () => {
      await tree.flush()
      for await (const { digest, place } of tree.all()) {
        const id = mapKey(digest)
        leftovers.delete(id)
        if (trusted && served.has(id)) this.#unpublished.delete(id)
        else this.#unpublished.set(id, { digest, place })
      }
    })
    this.#superseded.clear()
    await this.#drop([...leftovers.values()])
    this.#resumed = true
  }

  /** Whether the backend kept what it was given: some of it stands for the rest. */
  async #stillThere(served: ReadonlyMap<string, Bytes>): Promise<boolean> {
    if (!this.#network.persistent) return false
    let checked = 0
    for (const digest of served.values()) {
      if (!(await this.#network.has(digest))) return false
      if (++checked === 8) break
    }
    return true
  }
}

import { compareBytes, concatBytes, equalBytes, mapKey, readUint64, writeUint64 } from '../bytes.ts'
import type { Bytes } from '../bytes.ts'
import { digestBytes, hash } from '../cid.ts'
import { isBoundary } from '../entry/key.ts'
import type { Key } from '../entry/key.ts'
import { maxLevels } from '../limits.ts'
import type { Operation } from '../store/database.ts'
import { levelEnd, levelStart, nodeKey } from '../store/keys.ts'
import type { Store } from '../store/store.ts'
import { Chunker } from './chunker.ts'
import { encodeInner, encodeLeaf, innerItemBytes, leafItemBytes, standardShape } from './node.ts'
import type { Child, Shape } from './node.ts'

/** An item of any level: an entry at level 0, a child above. */
interface Item {
  readonly key: Key
  readonly bytes?: Bytes
  readonly child?: Child
}

export interface Root {
  readonly digest: Bytes
  readonly count: number
  /** Where the root node is; absent for the empty view. */
  readonly place?: Place | undefined
}

/** A node by its level and last key. */
export interface Place {
  readonly level: number
  readonly key: Key
}

/** What flushes have changed, for whoever serves the nodes. */
export interface TreeObserver {
  added(digest: Bytes, place: Place, bytes: Bytes): void
  removed(digest: Bytes): void
}

/**
 * The history-independent index over the entries of a store. Only CID and count of each node are kept, per level and ordered by last
 * key: the children of one level are the nodes of the level below. A flush makes again the nodes between the boundaries
 * around each new key, level by level, each level one atomic batch that also notes what the next has to do.
 * Calls must not overlap each other or a commit of the store.
 */
export class IndexTree {
  readonly #store: Store
  readonly #shape: Shape
  readonly #observer: TreeObserver | undefined
  #root: Root | undefined

  constructor(store: Store, observer?: TreeObserver, shape: Shape = standardShape) {
    this.#store = store
    this.#observer = observer
    this.#shape = shape
  }

  /** The root of the last flush. */
  get known(): Root | undefined {
    return this.#root
  }

  get clean(): boolean {
    return this.#root !== undefined && this.#store.dirty.size === 0
  }

  /** Brings the index up to the store and gives its root. */
  async flush(): Promise<Root> {
    if (this.#root !== undefined && this.clean) return this.#root
    for (let level = 0; ; level++) {
      await this.#flushLevel(level)
      const nodes = await this.#firstNodes(level, 2)
      const [only] = nodes
      if (only === undefined) {
        const bytes = encodeLeaf([])
        this.#root = { digest: await hash(bytes), count: 0 }
        return this.#root
      }
      // An index that deep cannot come about: each level beyond the sixth would cost its author 2^36 hashes per entry.
      if (nodes.length === 1 || level === maxLevels) {
        this.#root = { digest: only.digest, count: only.count, place: { level, key: only.key } }
        await this.#forgetAbove(level)
        return this.#root
      }
      await this.#startLevel(level + 1)
    }
  }

  /** The node that ends with this key, if there is one. */
  async node(place: Place): Promise<Child | undefined> {
    const value = await this.#store.tables.get(nodeKey(place.level, place.key))
    return value === undefined ? undefined : decodeChild(place.key, value)
  }

  async nodes(level: number, keys: readonly Key[]): Promise<(Child | undefined)[]> {
    const values = await this.#store.tables.getMany(keys.map((key) => nodeKey(level, key)))
    return values.map((value, i) => (value === undefined ? undefined : decodeChild(keys[i] as Key, value)))
  }

  /** Every node, leaves first. */
  async *all(): AsyncGenerator<{ digest: Bytes; place: Place }, void, undefined> {
    for (let level = 0; level <= maxLevels; level++) {
      for await (const children of this.#children(level, undefined, undefined)) {
        for (const { key, digest } of children) yield { digest, place: { level, key } }
      }
    }
  }

  /** The bytes of the node as the store would make it now. */
  async encode(place: Place): Promise<Bytes> {
    const { level, key } = place
    const previous = await this.#store.tables.first({
      gt: levelStart(level),
      lt: nodeKey(level, key),
      reverse: true
    })
    const after = previous === undefined ? undefined : previous[0].slice(2)
    const items: Item[] = []
    for await (const batch of this.#items(level, after, key)) items.push(...batch)
    return encodeItems(level, items)
  }

  /** The first time that a level is needed, all nodes below it are new to it. */
  async #startLevel(level: number): Promise<void> {
    if ((await this.#firstNodes(level, 1)).length > 0) return
    const keys: Key[] = []
    for await (const children of this.#children(level - 1, undefined, undefined)) {
      for (const child of children) keys.push(child.key)
    }
    this.#store.dirty.set(level, keys)
  }

  async #flushLevel(level: number): Promise<void> {
    const store = this.#store
    const dirty = store.dirty.get(level)
    if (dirty === undefined) return
    const notes = store.dirtyNotes.get(level) ?? []
    const keys = dirty.sort(compareBytes).filter((key, i) => i === 0 || compareBytes(dirty[i - 1] as Key, key) !== 0)
    const operations: Operation[] = notes.map((key) => ({ type: 'del', key }))
    const changes: (() => void)[] = []
    const changed: Key[] = []
    const replace = async (after: Key | undefined, through: Key | undefined, fresh: Fresh[]): Promise<void> => {
      const old = new Map<string, Child>()
      for await (const children of this.#children(level, after, through)) {
        for (const child of children) old.set(mapKey(child.key), child)
      }
      for (const { child, bytes } of fresh) {
        const before = old.get(mapKey(child.key))
        old.delete(mapKey(child.key))
        if (before !== undefined && equalBytes(before.digest, child.digest)) continue
        if (before !== undefined) changes.push(() => this.#observer?.removed(before.digest))
        operations.push({ type: 'put', key: nodeKey(level, child.key), value: encodeChild(child) })
        changes.push(() => this.#observer?.added(child.digest, { level, key: child.key }, bytes))
        changed.push(child.key)
      }
      for (const child of old.values()) {
        operations.push({ type: 'del', key: nodeKey(level, child.key) })
        changes.push(() => this.#observer?.removed(child.digest))
        changed.push(child.key)
      }
    }
    await this.#rebuild(level, keys, replace)
    const note = changed.length > 0 ? store.noteDirty(level + 1, changed, operations) : undefined
    await store.tables.write(operations, false)
    store.dirty.delete(level)
    store.dirtyNotes.delete(level)
    if (note !== undefined) store.remembered(level + 1, note, changed)
    for (const change of changes) change()
  }

  /** Cuts every run between two boundaries that has a dirty key in it. */
  async #rebuild(
    level: number,
    dirty: readonly Key[],
    replace: (after: Key | undefined, through: Key | undefined, fresh: Fresh[]) => Promise<void>
  ): Promise<void> {
    let next = 0
    while (next < dirty.length) {
      let after = await this.#boundaryBefore(level, dirty[next] as Key)
      const chunker = new Chunker<Item>(level, this.#shape)
      let fresh: Fresh[] = []
      let jumped = false
      scan: for await (const items of this.#items(level, after, undefined)) {
        for (const item of items) {
          for (const node of chunker.push(item, itemBytes(item))) fresh.push(await seal(level, node))
          if (!isBoundary(item.key, level)) continue
          // A boundary that is new cuts an old node in two: what is behind it has to be made again as well.
          const whole = (await this.node({ level, key: item.key })) !== undefined
          await replace(after, item.key, fresh)
          fresh = []
          after = item.key
          while (next < dirty.length && compareBytes(dirty[next] as Key, item.key) <= 0) next++
          if (!whole) continue
          if (next === dirty.length) return
          const closer = await this.#boundaryBefore(level, dirty[next] as Key)
          if (closer !== undefined && compareBytes(closer, item.key) > 0) {
            jumped = true
            break scan
          }
        }
      }
      if (jumped) continue
      const rest = chunker.end()
      if (rest !== undefined) fresh.push(await seal(level, rest))
      await replace(after, undefined, fresh)
      return
    }
  }

  /** The last boundary that the level already has before the key. Boundaries never go away. */
  async #boundaryBefore(level: number, key: Key): Promise<Key | undefined> {
    const range = { gt: levelStart(level), lt: nodeKey(level, key), reverse: true }
    for (let limit = 4; ; limit = 256) {
      let seen = 0
      for await (const rows of this.#store.tables.scan({ ...range, limit })) {
        for (const [row] of rows) {
          const last = row.slice(2)
          if (isBoundary(last, level)) return last
          seen++
        }
      }
      if (seen < limit) return undefined
      if (limit === 256) break
    }
    for await (const rows of this.#store.tables.scan(range)) {
      for (const [row] of rows) if (isBoundary(row.subarray(2), level)) return row.slice(2)
    }
    return undefined
  }

  async *#items(
    level: number,
    after: Key | undefined,
    through: Key | undefined
  ): AsyncGenerator<Item[], void, undefined> {
    if (level === 0) {
      for await (const rows of this.#store.entries({ after, through })) {
        yield rows.map(([key, bytes]) => ({ key, bytes }))
      }
    } else {
      for await (const children of this.#children(level - 1, after, through)) {
        yield children.map((child) => ({ key: child.key, child }))
      }
    }
  }

  async *#children(
    level: number,
    after: Key | undefined,
    through: Key | undefined
  ): AsyncGenerator<Child[], void, undefined> {
    const begin = after === undefined ? levelStart(level) : nodeKey(level, after)
    const end = through === undefined ? { lt: levelEnd(level) } : { lte: nodeKey(level, through) }
    for await (const rows of this.#store.tables.scan({ gt: begin, ...end })) {
      yield rows.map(([key, value]) => decodeChild(key.slice(2), value))
    }
  }

  async #firstNodes(level: number, limit: number): Promise<Child[]> {
    const range = { gt: levelStart(level), lt: levelEnd(level), limit }
    for await (const rows of this.#store.tables.scan(range)) {
      return rows.map(([key, value]) => decodeChild(key.slice(2), value))
    }
    return []
  }

  async #forgetAbove(level: number): Promise<void> {
    const operations: Operation[] = []
    for (const [above, notes] of this.#store.dirtyNotes) {
      if (above <= level) continue
      for (const key of notes) operations.push({ type: 'del', key })
      this.#store.dirty.delete(above)
      this.#store.dirtyNotes.delete(above)
    }
    await this.#store.tables.write(operations, false)
  }
}

interface Fresh {
  readonly child: Child
  readonly bytes: Bytes
}

async function seal(level: number, items: readonly Item[]): Promise<Fresh> {
  const bytes = encodeItems(level, items)
  const digest = await hash(bytes)
  const last = items[items.length - 1] as Item
  let count = 0
  for (const item of items) count += item.child?.count ?? 1
  return { child: { key: last.key, digest, count }, bytes }
}

function encodeItems(level: number, items: readonly Item[]): Bytes {
  return level === 0
    ? encodeLeaf(items.map((item) => item.bytes as Bytes))
    : encodeInner(
        level,
        items.map((item) => item.child as Child)
      )
}

function itemBytes(item: Item): number {
  return item.child === undefined ? leafItemBytes(item.bytes as Bytes) : innerItemBytes(item.child)
}

function encodeChild(child: Child): Bytes {
  const count = new Uint8Array(8)
  writeUint64(count, child.count, 0)
  return concatBytes(child.digest, count)
}

function decodeChild(key: Key, value: Bytes): Child {
  return { key, digest: value.slice(0, digestBytes), count: readUint64(value, digestBytes) ?? 0 }
}

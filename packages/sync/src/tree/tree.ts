import { compareBytes, equalBytes, mapKey } from '../bytes.ts'
import type { Bytes } from '../bytes.ts'
import { hash } from '../cid.ts'
import { checkEntry } from '../entry/damage.ts'
import { isBoundary, packKeys, unpackKeys } from '../entry/key.ts'
import type { Key } from '../entry/key.ts'
import { maxLevels } from '../limits.ts'
import type { Operation } from '../store/database.ts'
import { levelStart, nodeKey } from '../store/keys.ts'
import type { Store } from '../store/store.ts'
import { Chunker } from './chunker.ts'
import { encodeChild, encodeItems, itemBytes, Levels } from './levels.ts'
import type { Item, Place, Root } from './levels.ts'
import { encodeLeaf, standardShape } from './node.ts'
import type { Child, Shape } from './node.ts'

/** Receives the changes of a flush, for the part that serves the nodes. */
export interface TreeObserver {
  added(digest: Bytes, place: Place, bytes: Bytes): void
  removed(digest: Bytes): void
}

/**
 * The history-independent index over the entries of a store. It keeps only the CID and count of each node, per level
 * and ordered by last key: the children of one level are the nodes of the level below. A flush rebuilds the nodes
 * between the boundaries around each new key, level by level. Each level is one atomic batch that also notes the work
 * for the next level. Calls must not overlap each other or a commit of the store.
 */
export class IndexTree {
  readonly levels: Levels
  readonly #store: Store
  readonly #shape: Shape
  readonly #observer: TreeObserver | undefined
  readonly #check: typeof checkEntry
  #root: Root | undefined

  /** `check` checks an entry that is read; entries known to be intact skip it. */
  constructor(
    store: Store,
    observer?: TreeObserver,
    shape: Shape = standardShape,
    check: typeof checkEntry = checkEntry
  ) {
    this.levels = new Levels(store)
    this.#store = store
    this.#observer = observer
    this.#shape = shape
    this.#check = check
  }

  /** The root of the last flush. */
  get known(): Root | undefined {
    return this.#root
  }

  get clean(): boolean {
    return this.#root !== undefined && this.#store.dirty.size === 0
  }

  /**
   * Brings the index up to date with the store and returns its root. Rejects with `Damaged` if an entry that it needs
   * is damaged.
   */
  async flush(): Promise<Root> {
    if (this.#root !== undefined && this.clean) return this.#root
    for (let level = 0; ; level++) {
      await this.#flushLevel(level)
      const nodes = await this.levels.first(level, 2)
      const [only] = nodes
      if (only === undefined) {
        const bytes = encodeLeaf([])
        this.#root = { digest: await hash(bytes), count: 0 }
        return this.#root
      }
      // An index this deep cannot occur: each level beyond the sixth would cost its author 2^36 hashes per entry.
      if (nodes.length === 1 || level === maxLevels) {
        this.#root = { digest: only.digest, count: only.count, place: { level, key: only.key } }
        await this.#forgetAbove(level)
        return this.#root
      }
      await this.#startLevel(level + 1)
    }
  }

  /**
   * The root that the store has, even if it is out of date, for when a damaged entry prevents computing the current
   * one.
   */
  async stored(): Promise<Root> {
    for (let level = 0; level <= maxLevels; level++) {
      const [only, second] = await this.levels.first(level, 2)
      if (only === undefined) break
      if (second === undefined) return { digest: only.digest, count: only.count, place: { level, key: only.key } }
    }
    return { digest: await hash(encodeLeaf([])), count: 0 }
  }

  /** Makes the next flush rebuild this node and its children from what is below them. */
  async doubt({ level, key }: Place): Promise<void> {
    const mark = (at: number, doubted: readonly Key[]): void => {
      this.#store.dirty.set(at, [...(this.#store.dirty.get(at) ?? []), packKeys(doubted)])
    }
    if (level > 0) {
      const children: Key[] = []
      for await (const items of this.levels.content({ level, key })) children.push(...items.map((item) => item.key))
      mark(level - 1, children)
    }
    mark(level, [key])
  }

  /** When a level is first needed, all nodes below it are new to it. */
  async #startLevel(level: number): Promise<void> {
    if ((await this.levels.first(level, 1)).length > 0) return
    const keys: Key[] = []
    for await (const children of this.levels.children(level - 1, undefined, undefined)) {
      for (const child of children) keys.push(child.key)
    }
    this.#store.dirty.set(level, [packKeys(keys)])
  }

  async #flushLevel(level: number): Promise<void> {
    const store = this.#store
    const packed = store.dirty.get(level)
    if (packed === undefined) return
    const dirty = packed.flatMap(unpackKeys)
    const notes = store.dirtyNotes.get(level) ?? []
    const keys = dirty.sort(compareBytes).filter((key, i) => i === 0 || compareBytes(dirty[i - 1] as Key, key) !== 0)
    const operations: Operation[] = notes.map((key) => ({ type: 'del', key }))
    const changes: (() => void)[] = []
    const changed: Key[] = []
    const replace = async (after: Key | undefined, through: Key | undefined, fresh: Fresh[]): Promise<void> => {
      const old = new Map<string, Child>()
      for await (const children of this.levels.children(level, after, through)) {
        for (const child of children) old.set(mapKey(child.key), child)
      }
      for (const { child, bytes } of fresh) {
        const before = old.get(mapKey(child.key))
        old.delete(mapKey(child.key))
        if (before !== undefined && equalBytes(before.digest, child.digest) && before.count === child.count) continue
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
    const above = packKeys(changed)
    const note = changed.length > 0 ? store.noteDirty(level + 1, above, operations) : undefined
    await store.tables.write(operations, { sync: false, reserve: 'most' })
    store.dirty.delete(level)
    store.dirtyNotes.delete(level)
    if (note !== undefined) store.remembered(level + 1, note, above)
    for (const change of changes) change()
  }

  /** Divides each run between two boundaries again if it contains a dirty key. */
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
      scan: for await (const items of this.levels.items(level, after, undefined)) {
        for (const item of items) {
          if (level === 0) await this.#check(item.key, item.bytes as Bytes)
          for (const node of chunker.push(item, itemBytes(item))) fresh.push(await seal(level, node))
          if (!isBoundary(item.key, level)) continue
          // A new boundary splits an old node, so the part after it has to be rebuilt as well.
          const whole = (await this.levels.node({ level, key: item.key })) !== undefined
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

  /** The last boundary before the key that the level already has. Boundaries never disappear. */
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

  async #forgetAbove(level: number): Promise<void> {
    const operations: Operation[] = []
    for (const [above, notes] of this.#store.dirtyNotes) {
      if (above <= level) continue
      for (const key of notes) operations.push({ type: 'del', key })
      this.#store.dirty.delete(above)
      this.#store.dirtyNotes.delete(above)
    }
    await this.#store.tables.write(operations, { sync: false, reserve: 'most' })
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

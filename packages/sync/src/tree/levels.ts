import { concatBytes, readUint64, writeUint64 } from '../bytes.ts'
import type { Bytes } from '../bytes.ts'
import { digestBytes } from '../cid.ts'
import type { Key } from '../entry/key.ts'
import { maxLevels } from '../limits.ts'
import { levelEnd, levelStart, nodeKey } from '../store/keys.ts'
import type { Store } from '../store/store.ts'
import { encodeInner, encodeLeaf, innerItemBytes, leafItemBytes } from './node.ts'
import type { Child } from './node.ts'

/** An item of any level: an entry at level 0, a child node above. */
export interface Item {
  readonly key: Key
  readonly bytes?: Bytes
  readonly child?: Child
}

/** A node by its level and last key. */
export interface Place {
  readonly level: number
  readonly key: Key
}

export interface Root {
  readonly digest: Bytes
  readonly count: number
  /** The place of the root node; absent for the empty view. */
  readonly place?: Place | undefined
}

/**
 * The nodes of the index as the store has them: the CID and count of each, per level and ordered by last key. The
 * children of one level are the nodes of the level below; the children of level 0 are the entries.
 */
export class Levels {
  readonly #store: Store

  constructor(store: Store) {
    this.#store = store
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
      for await (const children of this.children(level, undefined, undefined)) {
        for (const { key, digest } of children) yield { digest, place: { level, key } }
      }
    }
  }

  /** The first nodes of a level. */
  async first(level: number, limit: number): Promise<Child[]> {
    const range = { gt: levelStart(level), lt: levelEnd(level), limit }
    for await (const rows of this.#store.tables.scan(range)) {
      return rows.map(([key, value]) => decodeChild(key.slice(2), value))
    }
    return []
  }

  /** The items of the node: entries for a leaf, children for any other node. */
  async *content({ level, key }: Place): AsyncGenerator<Item[], void, undefined> {
    const range = { gt: levelStart(level), lt: nodeKey(level, key), reverse: true }
    const previous = await this.#store.tables.first(range)
    yield* this.items(level, previous === undefined ? undefined : previous[0].slice(2), key)
  }

  /** The bytes of the node as the store would encode it now. */
  async encode(place: Place): Promise<Bytes> {
    const items: Item[] = []
    for await (const batch of this.content(place)) items.push(...batch)
    return encodeItems(place.level, items)
  }

  /** The entry at this zero-based rank in canonical order. */
  async entryAt({ place }: Root, rank: number): Promise<Bytes | undefined> {
    if (place === undefined) return undefined
    let after: Key | undefined
    let through = place.key
    let left = rank
    for (let level = place.level - 1; level >= 0; level--) {
      let found: Child | undefined
      search: for await (const children of this.children(level, after, through)) {
        for (const child of children) {
          found = child
          if (left < child.count) break search
          left -= child.count
          after = child.key
        }
      }
      if (found === undefined) return undefined
      through = found.key
    }
    for await (const items of this.items(0, after, through)) {
      if (left < items.length) return items[left]?.bytes
      left -= items.length
    }
    return undefined
  }

  /** The items of the nodes of a level, between two keys. */
  async *items(
    level: number,
    after: Key | undefined,
    through: Key | undefined
  ): AsyncGenerator<Item[], void, undefined> {
    if (level === 0) {
      for await (const rows of this.#store.entries({ after, through })) {
        yield rows.map(([key, bytes]) => ({ key, bytes }))
      }
    } else {
      for await (const children of this.children(level - 1, after, through)) {
        yield children.map((child) => ({ key: child.key, child }))
      }
    }
  }

  /** The nodes of a level between two keys. */
  async *children(
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
}

export function encodeItems(level: number, items: readonly Item[]): Bytes {
  return level === 0
    ? encodeLeaf(items.map((item) => item.bytes as Bytes))
    : encodeInner(
        level,
        items.map((item) => item.child as Child)
      )
}

export function itemBytes(item: Item): number {
  return item.child === undefined ? leafItemBytes(item.bytes as Bytes) : innerItemBytes(item.child)
}

export function encodeChild(child: Child): Bytes {
  const count = new Uint8Array(8)
  writeUint64(count, child.count, 0)
  return concatBytes(child.digest, count)
}

function decodeChild(key: Key, value: Bytes): Child {
  return { key, digest: value.slice(0, digestBytes), count: readUint64(value, digestBytes) ?? 0 }
}

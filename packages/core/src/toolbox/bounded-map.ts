/** A map of at most `limit` entries. It forgets the entry that was set or touched longest ago. */
export class BoundedMap<K, V> {
  readonly #limit: number
  readonly #entries = new Map<K, V>()
  readonly #onForget: ((key: K, value: V) => void) | undefined
  /** Points at the oldest entry. A new iterator would step over the holes of all entries that were forgotten earlier. */
  #oldest: MapIterator<[K, V]> | undefined
  #appended = 0

  /** @param onForget - Receives the entries that no longer fit. Not called for `delete`. */
  constructor(limit: number, onForget?: (key: K, value: V) => void) {
    this.#limit = limit
    this.#onForget = onForget
  }

  get size(): number {
    return this.#entries.size
  }

  has(key: K): boolean {
    return this.#entries.has(key)
  }

  get(key: K): V | undefined {
    return this.#entries.get(key)
  }

  /** Like `get`, but also makes the entry the last to be forgotten. */
  touch(key: K): V | undefined {
    const value = this.#entries.get(key)
    if (value !== undefined) this.#append(key, value)
    return value
  }

  set(key: K, value: V): void {
    this.#append(key, value)
    if (this.#entries.size <= this.#limit) return
    this.#oldest ??= this.#entries.entries()
    const { value: oldest } = this.#oldest.next()
    if (oldest === undefined) return
    this.#entries.delete(oldest[0])
    this.#onForget?.(...oldest)
  }

  #append(key: K, value: V): void {
    this.#entries.delete(key)
    this.#entries.set(key, value)
    // An iterator keeps alive each table that the map has had since the iterator was created.
    if (++this.#appended <= this.#limit) return
    this.#appended = 0
    this.#oldest = undefined
  }

  delete(key: K): boolean {
    return this.#entries.delete(key)
  }

  clear(): void {
    this.#entries.clear()
  }

  keys(): MapIterator<K> {
    return this.#entries.keys()
  }

  values(): MapIterator<V> {
    return this.#entries.values()
  }

  [Symbol.iterator](): MapIterator<[K, V]> {
    return this.#entries[Symbol.iterator]()
  }
}

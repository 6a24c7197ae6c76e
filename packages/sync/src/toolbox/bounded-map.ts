/** A map that forgets its oldest entry when it is full. Setting a key again makes it the newest. */
export class BoundedMap<V> {
  readonly #map: Map<string, V> = new Map()
  readonly #max: number
  /**
   * Stands behind the last key that had to go, for as long as the map lives: a new iterator would pass all the gaps that
   * those before it have left, which takes longer than everything else here.
   */
  readonly #oldest: MapIterator<[string, V]> = this.#map.entries()

  constructor(max: number) {
    this.#max = max
  }

  get size(): number {
    return this.#map.size
  }

  get(key: string): V | undefined {
    return this.#map.get(key)
  }

  has(key: string): boolean {
    return this.#map.has(key)
  }

  /** Gives the value that had to go. */
  set(key: string, value: V): V | undefined {
    this.#map.delete(key)
    this.#map.set(key, value)
    if (this.#map.size <= this.#max) return undefined
    const next = this.#oldest.next()
    if (next.done === true) return undefined
    const [oldest, gone] = next.value
    this.#map.delete(oldest)
    return gone
  }

  delete(key: string): boolean {
    return this.#map.delete(key)
  }

  entries(): MapIterator<[string, V]> {
    return this.#map.entries()
  }

  values(): MapIterator<V> {
    return this.#map.values()
  }
}

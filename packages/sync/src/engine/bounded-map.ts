/** A map that forgets its oldest entry when it is full. Setting a key again makes it the newest. */
export class BoundedMap<V> {
  readonly #map: Map<string, V> = new Map()
  readonly #max: number

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
    for (const [oldest, gone] of this.#map) {
      this.#map.delete(oldest)
      return gone
    }
    return undefined
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

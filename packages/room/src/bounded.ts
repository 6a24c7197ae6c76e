/** A map that forgets the entry that was set or touched longest ago when there are more than `limit`. */
export class Bounded<K, V> extends Map<K, V> {
  readonly #limit: number
  readonly #onForget: ((key: K, value: V) => void) | undefined

  constructor(limit: number, onForget?: (key: K, value: V) => void) {
    super()
    this.#limit = limit
    this.#onForget = onForget
  }

  override set(key: K, value: V): this {
    this.delete(key)
    super.set(key, value)
    for (const [oldest, forgotten] of this) {
      if (this.size <= this.#limit) break
      this.delete(oldest)
      this.#onForget?.(oldest, forgotten)
    }
    return this
  }

  /** The value, which becomes the last to be forgotten. */
  touch(key: K): V | undefined {
    const value = this.get(key)
    if (value !== undefined) this.set(key, value)
    return value
  }
}

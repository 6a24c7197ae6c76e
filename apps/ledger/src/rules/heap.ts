/** A binary heap: the smallest comes first. */
export class Heap<T> {
  readonly #items: T[] = []
  readonly #compare: (a: T, b: T) => number

  constructor(compare: (a: T, b: T) => number) {
    this.#compare = compare
  }

  peek(): T | undefined {
    return this.#items[0]
  }

  push(item: T): void {
    const items = this.#items
    let at = items.push(item) - 1
    while (at > 0) {
      const above = (at - 1) >>> 1
      if (!this.#less(at, above)) return
      this.#swap(at, above)
      at = above
    }
  }

  pop(): T | undefined {
    const items = this.#items
    const first = items[0]
    const last = items.pop()
    if (items.length === 0 || last === undefined) return first
    items[0] = last
    for (let at = 0; ;) {
      let least = at
      for (const below of [2 * at + 1, 2 * at + 2]) if (below < items.length && this.#less(below, least)) least = below
      if (least === at) return first
      this.#swap(at, least)
      at = least
    }
  }

  #less(a: number, b: number): boolean {
    return this.#compare(this.#items[a] as T, this.#items[b] as T) < 0
  }

  #swap(a: number, b: number): void {
    const items = this.#items
    const item = items[a] as T
    items[a] = items[b] as T
    items[b] = item
  }
}

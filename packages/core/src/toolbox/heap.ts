/** A binary heap: no other item comes before `first`. */
export class Heap<T> {
  readonly #before: (a: T, b: T) => boolean
  readonly #items: T[] = []

  constructor(before: (a: T, b: T) => boolean) {
    this.#before = before
  }

  get size(): number {
    return this.#items.length
  }

  get first(): T | undefined {
    return this.#items[0]
  }

  push(item: T): void {
    const items = this.#items
    let at = items.push(item) - 1
    while (at > 0) {
      const up = (at - 1) >> 1
      if (!this.#before(item, items[up] as T)) break
      items[at] = items[up] as T
      at = up
    }
    items[at] = item
  }

  pop(): T | undefined {
    const items = this.#items
    const [first] = items
    const last = items.pop()
    if (last === undefined || items.length === 0) return first
    let at = 0
    for (;;) {
      let down = 2 * at + 1
      if (down >= items.length) break
      if (down + 1 < items.length && this.#before(items[down + 1] as T, items[down] as T)) down++
      if (!this.#before(items[down] as T, last)) break
      items[at] = items[down] as T
      at = down
    }
    items[at] = last
    return first
  }
}

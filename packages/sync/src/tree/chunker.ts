import { isBoundary } from '../entry/key.ts'
import type { Key } from '../entry/key.ts'
import type { Shape } from './node.ts'

/**
 * Divides the items of one level into nodes, from left to right: after every boundary, and before an item that would
 * make the node too large. Between two boundaries the division depends only on the items there, so equal sets are
 * divided equally.
 */
export class Chunker<T extends { readonly key: Key }> {
  readonly #level: number
  readonly #shape: Shape
  #items: T[] = []
  #bytes = 0

  constructor(level: number, shape: Shape) {
    this.#level = level
    this.#shape = shape
  }

  /** Adds the next item. Returns the nodes that it completes, two at most. */
  push(item: T, bytes: number): T[][] {
    const done: T[][] = []
    const full = this.#bytes + bytes > this.#shape.maxBytes || this.#items.length >= this.#shape.maxItems
    if (this.#items.length > 0 && full) done.push(this.#cut())
    this.#items.push(item)
    this.#bytes += bytes
    if (isBoundary(item.key, this.#level)) done.push(this.#cut())
    return done
  }

  /** The remaining node after the last item. */
  end(): T[] | undefined {
    return this.#items.length > 0 ? this.#cut() : undefined
  }

  #cut(): T[] {
    const items = this.#items
    this.#items = []
    this.#bytes = 0
    return items
  }
}

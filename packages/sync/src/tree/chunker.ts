import { isBoundary } from '../entry/key.ts'
import type { Key } from '../entry/key.ts'
import type { Shape } from './node.ts'

/**
 * Cuts the items of one level into nodes, left to right: after every boundary, and before an item that would make the node too
 * large. Between two boundaries the cuts depend on the items there alone, so equal sets are cut equally.
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

  /** Adds the next item; gives the node or two that it completes. */
  push(item: T, bytes: number): T[][] {
    const done: T[][] = []
    const full = this.#bytes + bytes > this.#shape.maxBytes || this.#items.length >= this.#shape.maxItems
    if (this.#items.length > 0 && full) done.push(this.#cut())
    this.#items.push(item)
    this.#bytes += bytes
    if (isBoundary(item.key, this.#level)) done.push(this.#cut())
    return done
  }

  /** What is left after the last item. */
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

import { Heap } from '@p2pl/core/backend'
import { compareBytes } from '../bytes.ts'
import { keyOf } from '../entry/key.ts'
import type { Key } from '../entry/key.ts'
import type { Head, HeadChange } from '../store/heads.ts'

interface Node {
  readonly key: Key
  readonly head: Head
}

const older = (a: Node, b: Node): boolean => compareBytes(a.key, b.key) < 0
const newer = (a: Node, b: Node): boolean => compareBytes(a.key, b.key) > 0

/**
 * Heads in canonical order. It finds the first and the last few without looking at all of them, because any peer can
 * create a hundred thousand.
 */
export class Tips {
  readonly #nodes: Map<string, Node> = new Map()
  #oldest: Heap<Node> = new Heap(older)
  #newest: Heap<Node> = new Heap(newer)

  constructor(heads: Iterable<Head>) {
    for (const head of heads) this.add(head)
  }

  get size(): number {
    return this.#nodes.size
  }

  change({ approved, heads }: HeadChange): void {
    for (const id of approved) this.delete(id)
    for (const head of heads) this.add(head)
  }

  add(head: Head): void {
    if (this.#nodes.has(head.id)) return
    const node = { key: keyOf(head.clock, head.digest), head }
    this.#nodes.set(head.id, node)
    this.#oldest.push(node)
    this.#newest.push(node)
    if (this.#oldest.size > 2 * this.#nodes.size + 64) this.#oldest = this.#heap(older)
    if (this.#newest.size > 2 * this.#nodes.size + 64) this.#newest = this.#heap(newer)
  }

  delete(id: string): void {
    this.#nodes.delete(id)
  }

  /** The newest heads first, at most this many. */
  newest(count: number): Head[] {
    return this.#first(this.#newest, count)
  }

  /** The oldest heads first, at most this many. */
  oldest(count: number): Head[] {
    return this.#first(this.#oldest, count)
  }

  #first(heap: Heap<Node>, count: number): Head[] {
    const found: Node[] = []
    while (found.length < count) {
      const node = heap.pop()
      if (node === undefined) break
      if (this.#nodes.get(node.head.id) === node) found.push(node)
    }
    for (const node of found) heap.push(node)
    return found.map(({ head }) => head)
  }

  #heap(before: (a: Node, b: Node) => boolean): Heap<Node> {
    const heap = new Heap(before)
    for (const node of this.#nodes.values()) heap.push(node)
    return heap
  }
}

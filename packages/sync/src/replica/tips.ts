import { compareBytes } from '../bytes.ts'
import { keyOf } from '../entry/key.ts'
import type { Key } from '../entry/key.ts'
import type { Head } from '../store/store.ts'

interface Node {
  readonly id: string
  readonly key: Key
  readonly head: Head
}

/** A binary heap whose first item is the least; items that left the set are skipped when they come up. */
class Heap {
  readonly #before: (a: Node, b: Node) => boolean
  readonly #nodes: Node[] = []

  constructor(before: (a: Node, b: Node) => boolean) {
    this.#before = before
  }

  get size(): number {
    return this.#nodes.length
  }

  push(node: Node): void {
    const nodes = this.#nodes
    let at = nodes.push(node) - 1
    while (at > 0) {
      const up = (at - 1) >> 1
      if (this.#before(nodes[up] as Node, node)) break
      nodes[at] = nodes[up] as Node
      at = up
    }
    nodes[at] = node
  }

  pop(): Node | undefined {
    const nodes = this.#nodes
    const [first] = nodes
    const last = nodes.pop()
    if (last === undefined || nodes.length === 0) return first
    let at = 0
    for (;;) {
      let down = 2 * at + 1
      if (down >= nodes.length) break
      if (down + 1 < nodes.length && this.#before(nodes[down + 1] as Node, nodes[down] as Node)) down++
      if (this.#before(last, nodes[down] as Node)) break
      nodes[at] = nodes[down] as Node
      at = down
    }
    nodes[at] = last
    return first
  }
}

const older = (a: Node, b: Node): boolean => compareBytes(a.key, b.key) < 0
const newer = (a: Node, b: Node): boolean => compareBytes(a.key, b.key) > 0

/** Heads in canonical order, of which the first and last few are found without a look at all of them: anybody can make a hundred thousand. */
export class Tips {
  readonly #nodes: Map<string, Node> = new Map()
  #oldest: Heap = new Heap(older)
  #newest: Heap = new Heap(newer)

  constructor(heads: Iterable<readonly [string, Head]>) {
    for (const [id, head] of heads) this.add(id, head)
  }

  get size(): number {
    return this.#nodes.size
  }

  add(id: string, head: Head): void {
    if (this.#nodes.has(id)) return
    const node = { id, key: keyOf(head.clock, head.digest), head }
    this.#nodes.set(id, node)
    this.#oldest.push(node)
    this.#newest.push(node)
    if (this.#oldest.size > 2 * this.#nodes.size + 64) this.#oldest = this.#heap(older)
    if (this.#newest.size > 2 * this.#nodes.size + 64) this.#newest = this.#heap(newer)
  }

  delete(id: string): void {
    this.#nodes.delete(id)
  }

  /** At most so many, the newest first. */
  newest(count: number): Head[] {
    return this.#first(this.#newest, count)
  }

  /** At most so many, the oldest first. */
  oldest(count: number): Head[] {
    return this.#first(this.#oldest, count)
  }

  #first(heap: Heap, count: number): Head[] {
    const found: Node[] = []
    while (found.length < count) {
      const node = heap.pop()
      if (node === undefined) break
      if (this.#nodes.get(node.id) === node) found.push(node)
    }
    for (const node of found) heap.push(node)
    return found.map(({ head }) => head)
  }

  #heap(before: (a: Node, b: Node) => boolean): Heap {
    const heap = new Heap(before)
    for (const node of this.#nodes.values()) heap.push(node)
    return heap
  }
}

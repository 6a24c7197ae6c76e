import { randomInteger } from '../random.ts'
import type { Random } from '../random.ts'
import type { Node } from './node.ts'

/** A set from which a random node is taken in constant time. */
export class NodeList {
  readonly #nodes: Node[] = []
  readonly #index = new Map<Node, number>()

  get size(): number {
    return this.#nodes.length
  }

  add(node: Node): void {
    if (this.#index.has(node)) return
    this.#index.set(node, this.#nodes.length)
    this.#nodes.push(node)
  }

  remove(node: Node): void {
    const index = this.#index.get(node)
    if (index === undefined) return
    this.#index.delete(node)
    const last = this.#nodes.pop() as Node
    if (last === node) return
    this.#nodes[index] = last
    this.#index.set(last, index)
  }

  /** The first node that fits, beginning with a random one. */
  choose(random: Random, fits: (node: Node) => boolean): Node | undefined {
    const count = this.#nodes.length
    if (count === 0) return undefined
    const start = randomInteger(random, count)
    for (let i = 0; i < count; i++) {
      const node = this.#nodes[(start + i) % count] as Node
      if (fits(node)) return node
    }
    return undefined
  }
}

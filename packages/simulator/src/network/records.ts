import type { Node } from './node.ts'

/** Provider records: the nodes that claim to have a multihash. Records of crashed hosts stay, as in a DHT. */
export class Records {
  readonly #nodes = new Map<string, Set<Node>>()

  of(key: string): readonly Node[] {
    return [...(this.#nodes.get(key) ?? [])]
  }

  add(key: string, node: Node): void {
    this.#nodes.set(key, (this.#nodes.get(key) ?? new Set()).add(node))
  }

  /** The node has said goodbye. */
  drop(node: Node): void {
    for (const key of this.#nodes.keys()) this.remove(key, node)
  }

  remove(key: string, node: Node): void {
    const nodes = this.#nodes.get(key)
    if (nodes?.delete(node) === true && nodes.size === 0) this.#nodes.delete(key)
  }
}

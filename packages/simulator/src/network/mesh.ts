import { randomInteger, shuffle } from '../random.ts'
import type { Medium } from './medium.ts'
import type { Node } from './node.ts'

/**
 * The links over which messages of one topic are passed on, as in gossipsub. Each subscriber has about `degree` links, in
 * both directions.
 */
export class Mesh {
  readonly #medium: Medium
  readonly #degree: number
  readonly #nodes: readonly Node[]
  readonly #links = new Map<Node, Set<Node>>()
  /** Targets of nodes that publish without being subscribed. */
  readonly #fanout = new Map<Node, readonly Node[]>()

  /** `nodes` are the subscribers, kept up to date by the caller. */
  constructor(medium: Medium, degree: number, nodes: readonly Node[]) {
    this.#medium = medium
    this.#degree = degree
    this.#nodes = nodes
  }

  /** The nodes at the other ends of its links. A node that is not subscribed gets a few fixed nodes. */
  targets(from: Node): Iterable<Node> {
    return this.#links.get(from) ?? this.#fanoutOf(from)
  }

  add(node: Node): void {
    this.#fanout.delete(node)
    this.#graft(node, this.#degree)
  }

  remove(node: Node): void {
    for (const other of this.#links.get(node) ?? []) this.#links.get(other)?.delete(node)
    this.#links.delete(node)
    this.#fanout.delete(node)
  }

  /**
   * Replaces all links. Every node chooses half of its links, and other nodes choose it for the rest. If each node has
   * three or more choices, such a graph is connected for all practical purposes.
   */
  rebuild(): void {
    this.#links.clear()
    this.#fanout.clear()
    for (const node of this.#nodes) this.#links.set(node, new Set())
    for (const node of this.#nodes) this.#graft(node, Math.ceil(this.#degree / 2))
  }

  #fanoutOf(from: Node): readonly Node[] {
    const known = this.#fanout.get(from)
    if (known !== undefined && known.length > 0) return known
    const chosen = [...this.#choose(from, this.#degree)]
    this.#fanout.set(from, chosen)
    return chosen
  }

  #graft(node: Node, count: number): void {
    if (!this.#links.has(node)) this.#links.set(node, new Set())
    for (const other of this.#choose(node, count)) {
      this.#links.get(node)?.add(other)
      this.#links.get(other)?.add(node)
    }
  }

  /** Chooses subscribed nodes that are reachable in both directions. */
  #choose(node: Node, count: number): Set<Node> {
    const medium = this.#medium
    const nodes = this.#nodes
    const chosen = new Set<Node>()
    const fits = (other: Node): boolean => other !== node && medium.open(node, other) && medium.open(other, node)
    if (nodes.length <= count * 4) {
      // There are so few nodes that each one can be checked.
      for (const other of shuffle(medium.random, [...nodes])) {
        if (chosen.size >= count) break
        if (fits(other)) chosen.add(other)
      }
      return chosen
    }
    for (let tries = 0; tries < count * 16 && chosen.size < count; tries++) {
      const other = nodes[randomInteger(medium.random, nodes.length)] as Node
      if (fits(other)) chosen.add(other)
    }
    return chosen
  }
}

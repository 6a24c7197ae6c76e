import { backendName } from '../errors.ts'
import type { Node } from './node.ts'

type Pair = readonly [Node, Node]

/** Direct connections. They follow the ways: they break, and are made again as long as one side wants to keep them. */
export class Connections {
  /** Both ways are open: what needs answers works. */
  readonly #linked: (a: Node, b: Node) => boolean
  /** By the node that asked for it: the connections that it keeps. */
  readonly #wanted = new Map<Node, Set<Node>>()
  /** Those that stand, as `index/index`. */
  #standing = new Map<string, Pair>()

  constructor(linked: (a: Node, b: Node) => boolean) {
    this.#linked = linked
  }

  connect(from: Node, to: Node): void {
    this.#wanted.set(from, (this.#wanted.get(from) ?? new Set()).add(to))
    this.update()
  }

  disconnect(from: Node, to: Node): void {
    this.#wanted.get(from)?.delete(to)
    this.#wanted.get(to)?.delete(from)
    this.update()
  }

  /** The process is gone, and with it what it wanted. */
  forget(node: Node): void {
    this.#wanted.delete(node)
  }

  of(node: Node): Node[] {
    const others: Node[] = []
    for (const [a, b] of this.#standing.values()) {
      if (a === node) others.push(b)
      else if (b === node) others.push(a)
    }
    return others
  }

  /** Breaks and makes what changed, and tells both sides. */
  update(): void {
    const before = this.#standing
    const made: Pair[] = []
    this.#standing = new Map()
    for (const [a, others] of this.#wanted)
      for (const b of others) {
        const pair: Pair = a.index < b.index ? [a, b] : [b, a]
        const name = `${pair[0].index}/${pair[1].index}`
        if (!this.#linked(a, b) || this.#standing.has(name)) continue
        this.#standing.set(name, pair)
        if (!before.delete(name)) made.push(pair)
      }
    for (const pair of made) tell('peer:connect', pair)
    for (const pair of before.values()) tell('peer:disconnect', pair)
  }
}

function tell(type: 'peer:connect' | 'peer:disconnect', [a, b]: Pair): void {
  a.endpoint?.event({ type, backend: backendName, id: b.id })
  b.endpoint?.event({ type, backend: backendName, id: a.id })
}

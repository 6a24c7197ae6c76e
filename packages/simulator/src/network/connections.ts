import type { Node } from './node.ts'

/** Direct connections. They break when a way is blocked. Core makes them again. */
export class Connections {
  readonly #peers = new Map<Node, Set<Node>>()

  connect(a: Node, b: Node): void {
    if (this.#peers.get(a)?.has(b) === true) return
    this.#peers.set(a, (this.#peers.get(a) ?? new Set()).add(b))
    this.#peers.set(b, (this.#peers.get(b) ?? new Set()).add(a))
    tell('peer:connect', a, b)
  }

  disconnect(a: Node, b: Node): void {
    if (this.#peers.get(a)?.delete(b) !== true) return
    this.#peers.get(b)?.delete(a)
    tell('peer:disconnect', a, b)
  }

  of(node: Node): readonly Node[] {
    return [...(this.#peers.get(node) ?? [])]
  }

  /** Breaks the connections that no longer have a way. */
  update(linked: (a: Node, b: Node) => boolean): void {
    for (const [node, others] of this.#peers)
      for (const other of others) if (!linked(node, other)) this.disconnect(node, other)
  }
}

function tell(type: 'peer:connect' | 'peer:disconnect', a: Node, b: Node): void {
  a.endpoint?.report({ type, id: b.id })
  b.endpoint?.report({ type, id: a.id })
}

import type { Scheduled } from '../time/queue.ts'
import type { Endpoint, Want } from './endpoint.ts'
import type { Medium } from './medium.ts'
import type { Node } from './node.ts'

export interface SearchParts {
  readonly node: Node
  readonly endpoint: Endpoint
  readonly want: Want
  readonly found: (bytes: Uint8Array) => void
  readonly medium: Medium
  /** Longest wait for an answer, milliseconds. */
  readonly timeout: number
  /** The node to ask next. */
  readonly choose: () => Node | undefined
  readonly request: (source: Node, question: number) => void
}

/** A search for one block by one host. It asks one node after the other, and sleeps when there is no other node to ask. */
export class Search {
  readonly node: Node
  readonly endpoint: Endpoint
  readonly want: Want
  readonly found: (bytes: Uint8Array) => void
  readonly #parts: SearchParts
  /** Nodes that were asked in this round. */
  readonly #asked = new Set<Node>()
  #timer: Scheduled | undefined
  /** The purpose of the timer. Without a timer the search sleeps until it is woken. */
  #waiting: 'answer' | 'retry' | undefined
  /** Whether a question of this round got no answer. Another round may then succeed. */
  #unanswered = false
  /** Number of the last question. A late answer to an earlier question still counts, but does not trigger the next one. */
  #question = 0
  #ended = false

  constructor(parts: SearchParts) {
    this.#parts = parts
    ;({ node: this.node, endpoint: this.endpoint, want: this.want, found: this.found } = parts)
  }

  /** Whether the block is still wanted. */
  get alive(): boolean {
    return !this.#ended && this.node.endpoint === this.endpoint
  }

  /** Whether the node may be asked now. */
  canAsk(node: Node | undefined): node is Node {
    return (
      node !== undefined && node !== this.node && !this.#asked.has(node) && this.#parts.medium.open(this.node, node)
    )
  }

  end(): void {
    this.#ended = true
    this.#disarm()
  }

  /** Something has changed. A search that waits for an answer continues anyway. */
  wake(): void {
    if (this.#waiting !== 'answer') this.#beginAnew(1)
  }

  /** The node that was asked does not have the block. */
  refused(question: number): void {
    if (question !== this.#question) return
    this.#disarm()
    this.ask()
  }

  ask(): void {
    if (!this.alive) return
    const source = this.#parts.choose()
    if (source === undefined) {
      // A node that does not have the block is asked again only when the search is woken. A lost question is repeated.
      if (this.#unanswered) this.#beginAnew(this.#parts.timeout)
      return
    }
    this.#asked.add(source)
    this.#wait('answer', this.#parts.timeout, () => {
      this.#unanswered = true
      this.ask()
    })
    this.#parts.request(source, ++this.#question)
  }

  #beginAnew(ms: number): void {
    this.#wait('retry', ms, () => {
      this.#asked.clear()
      this.#unanswered = false
      this.ask()
    })
  }

  #wait(what: 'answer' | 'retry', ms: number, then: () => void): void {
    if (this.#ended) return
    this.#disarm()
    this.#waiting = what
    this.#timer = this.#parts.medium.after(ms, () => {
      this.#timer = undefined
      this.#waiting = undefined
      then()
      return false
    })
  }

  #disarm(): void {
    if (this.#timer !== undefined) this.#parts.medium.queue.cancel(this.#timer)
    this.#timer = undefined
    this.#waiting = undefined
  }
}

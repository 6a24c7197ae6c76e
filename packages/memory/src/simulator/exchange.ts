import type { Block } from '@p2pl/core/backend'
import type { Cancel, Member, Want } from '../engine.ts'
import { garbage } from './medium.ts'
import type { Medium, Node } from './medium.ts'
import type { SimulatorOptions } from './options.ts'
import type { Scheduled } from './queue.ts'
import { randomInteger } from './random.ts'
import { contentHash } from './trace.ts'

const requestBytes = 64
const defaultRequestTimeout = 1000

/** One block that one node looks for. */
interface Search {
  readonly node: Node
  readonly member: Member
  readonly want: Want
  /** Nodes that were asked since the search last began anew. */
  readonly asked: Set<Node>
  timer: Scheduled | undefined
  /** What the timer is for. Without one the search sleeps until it is woken. */
  waiting: 'answer' | 'retry' | undefined
  /** A question of this round was never answered: the next round may have more luck. */
  unanswered: boolean
  /** Which question an answer belongs to: late ones of earlier questions are still taken, but ask nobody. */
  question: number
  ended: boolean
}

/** Who else could have a block, besides those who are hinted at. */
export interface Directory {
  /** Nodes that the asking one has a reason to ask. */
  known(of: Node, key: string): Iterable<Node>
  node(id: string): Node | undefined
}

/** Carries blocks: a request to one holder after the other, each with its way there and back. */
export class Exchange {
  readonly #medium: Medium
  readonly #directory: Directory
  readonly #askAnyone: boolean
  readonly #timeout: number
  readonly #holders = new Map<string, NodeList>()
  readonly #searches = new Map<string, Set<Search>>()
  readonly #onKept: (node: Node, key: string) => void

  constructor(
    medium: Medium,
    options: SimulatorOptions,
    directory: Directory,
    onKept: (node: Node, key: string) => void
  ) {
    this.#medium = medium
    this.#directory = directory
    this.#askAnyone = options.discovery !== 'known'
    this.#timeout = options.requestTimeout ?? defaultRequestTimeout
    this.#onKept = onKept
  }

  want(node: Node, member: Member, want: Want): Cancel {
    const search: Search = {
      node,
      member,
      want,
      asked: new Set(),
      timer: undefined,
      waiting: undefined,
      unanswered: false,
      question: 0,
      ended: false
    }
    const searches = this.#searches.get(want.key) ?? new Set()
    this.#searches.set(want.key, searches.add(search))
    this.#ask(search)
    return () => {
      this.#end(search)
    }
  }

  stored(node: Node, key: string): void {
    let holders = this.#holders.get(key)
    if (holders === undefined) {
      holders = new NodeList()
      this.#holders.set(key, holders)
    }
    holders.add(node)
    this.#onKept(node, key)
    for (const search of this.#searches.get(key) ?? []) {
      if (search.node === node) this.#takeOwn(search)
      else this.#wake(search)
    }
  }

  /** Somebody says that they have it. */
  announced(key: string): void {
    for (const search of this.#searches.get(key) ?? []) this.#wake(search)
  }

  removed(node: Node, key: string): void {
    const holders = this.#holders.get(key)
    holders?.remove(node)
    if (holders?.size === 0) this.#holders.delete(key)
  }

  /** The process is gone: what it looked for is forgotten. */
  left(member: Member): void {
    for (const searches of this.#searches.values())
      for (const search of searches) if (search.member === member) this.#end(search)
  }

  /** Ways or participants changed: what waited for nobody in particular looks again. */
  changed(): void {
    for (const searches of this.#searches.values()) for (const search of searches) this.#wake(search)
  }

  #end(search: Search): void {
    if (search.ended) return
    search.ended = true
    if (search.timer !== undefined) this.#medium.queue.cancel(search.timer)
    const searches = this.#searches.get(search.want.key)
    searches?.delete(search)
    if (searches?.size === 0) this.#searches.delete(search.want.key)
  }

  #takeOwn(search: Search): void {
    const block = search.member.store.blocks.get(search.want.key)
    if (block !== undefined) search.want.found(block.bytes)
  }

  /** A search that is waiting for an answer goes on by itself. */
  #wake(search: Search): void {
    if (search.waiting !== 'answer') this.#beginAnew(search, 1)
  }

  #beginAnew(search: Search, ms: number): void {
    this.#wait(search, 'retry', ms, () => {
      search.asked.clear()
      search.unanswered = false
      this.#ask(search)
    })
  }

  #wait(search: Search, what: 'answer' | 'retry', ms: number, then: () => void): void {
    if (search.ended) return
    if (search.timer !== undefined) this.#medium.queue.cancel(search.timer)
    search.waiting = what
    search.timer = this.#medium.after(ms, () => {
      search.timer = undefined
      search.waiting = undefined
      then()
      return false
    })
  }

  #ask(search: Search): void {
    if (search.ended || search.node.member !== search.member) return
    const holder = this.#choose(search)
    if (holder === undefined) {
      // Whoever has not got the block is not asked again before the search is woken; what was lost is repeated.
      if (search.unanswered) this.#beginAnew(search, this.#timeout)
      return
    }
    const question = ++search.question
    search.asked.add(holder)
    this.#wait(search, 'answer', this.#timeout, () => {
      search.unanswered = true
      this.#ask(search)
    })
    this.#medium.send(search.node, holder, 'request', requestBytes, question, () => {
      this.#answer(search, holder, question)
      return false
    })
  }

  #choose(search: Search): Node | undefined {
    const fits = (node: Node | undefined): node is Node =>
      node !== undefined && node !== search.node && !search.asked.has(node) && this.#medium.open(search.node, node)
    for (const id of search.want.hints) {
      const hinted = this.#directory.node(id)
      if (fits(hinted)) return hinted
    }
    if (this.#askAnyone) return this.#holders.get(search.want.key)?.choose(this.#medium, fits)
    for (const node of this.#directory.known(search.node, search.want.key)) if (fits(node)) return node
    return undefined
  }

  #answer(search: Search, holder: Node, question: number): void {
    const block = holder.member?.store.blocks.get(search.want.key)
    const lie = this.#medium.chance(holder.lies.blocks ?? 0)
    const bytes = lie ? garbage(this.#medium.random, block?.bytes ?? new Uint8Array()) : block?.bytes
    const size = bytes?.byteLength ?? 0
    const content = bytes === undefined ? 0 : contentHash(bytes)
    this.#medium.send(holder, search.node, 'response', requestBytes + size, content, () => {
      if (search.ended || search.node.member !== search.member) return false
      if (bytes === undefined || size > search.want.maxBytes) {
        if (question === search.question) this.#askNext(search)
        return false
      }
      this.#medium.counts.fetched++
      // The simulator knows that it is a lie; the backend's caller has to find out. A lie is never kept.
      if (!lie) this.#keep(search, { cid: search.want.cid, bytes })
      search.want.found(bytes)
      return true
    })
  }

  #askNext(search: Search): void {
    if (search.timer !== undefined) this.#medium.queue.cancel(search.timer)
    search.timer = undefined
    search.waiting = undefined
    this.#ask(search)
  }

  #keep(search: Search, block: Block): void {
    const { blocks } = search.member.store
    if (blocks.has(search.want.key)) return
    blocks.set(search.want.key, block)
    this.stored(search.node, search.want.key)
  }
}

/** A set from which a random member is taken in constant time. */
class NodeList {
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

  /** The first that fits, from a random one on. */
  choose(medium: Medium, fits: (node: Node) => boolean): Node | undefined {
    const count = this.#nodes.length
    if (count === 0) return undefined
    const start = randomInteger(medium.random, count)
    for (let i = 0; i < count; i++) {
      const node = this.#nodes[(start + i) % count] as Node
      if (fits(node)) return node
    }
    return undefined
  }
}

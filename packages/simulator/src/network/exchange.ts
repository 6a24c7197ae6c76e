import { blockKey } from '@p2pl/memory'
import type { CID } from 'multiformats/cid'
import type { SimulatorOptions } from '../options.ts'
import { randomInteger } from '../random.ts'
import { contentHash } from '../trace.ts'
import type { Endpoint, Want } from './endpoint.ts'
import { garbage } from './medium.ts'
import type { Medium } from './medium.ts'
import type { Answer, Node } from './node.ts'
import { NodeList } from './node-list.ts'
import { Search } from './search.ts'

const requestBytes = 64
const defaultRequestTimeout = 1000

/** Finds nodes that may have a block. */
export interface Directory {
  /** Nodes that are connected to the asking node, or have a provider record. */
  known(of: Node, cid: CID): Iterable<Node>
  node(id: string): Node | undefined
}

/** Carries blocks: it asks one node after the other, and each request and response travels its way. */
export class Exchange {
  readonly #medium: Medium
  readonly #directory: Directory
  readonly #askAnyone: boolean
  readonly #timeout: number
  /** Nodes that store a block, by its key. */
  readonly #sources = new Map<string, NodeList>()
  /** Nodes that claim to have every block. */
  readonly #strangers = new NodeList()
  readonly #searches = new Map<string, Set<Search>>()
  readonly #onKept: (node: Node, cid: CID) => void

  constructor(medium: Medium, options: SimulatorOptions, directory: Directory, onKept: (node: Node, cid: CID) => void) {
    this.#medium = medium
    this.#directory = directory
    this.#askAnyone = options.discovery !== 'known'
    this.#timeout = options.requestTimeout ?? defaultRequestTimeout
    this.#onKept = onKept
  }

  /** Looks for a block until it is found or the signal fires. The promise of a crashed process stays pending. */
  find(node: Node, want: Want, signal: AbortSignal): Promise<Uint8Array> {
    const key = blockKey(want.cid)
    const { endpoint } = node
    return new Promise((resolve, reject) => {
      // The asking process is gone, and a crashed process never gets an answer.
      if (endpoint === undefined) return
      const onAbort = (): void => {
        this.#end(search, key)
        reject(signal.reason as Error)
      }
      const found = (bytes: Uint8Array): void => {
        this.#end(search, key)
        signal.removeEventListener('abort', onAbort)
        resolve(bytes)
      }
      const choose = (): Node | undefined => this.#choose(search, key)
      const request = (source: Node, question: number): void => {
        this.#request(search, source, question)
      }
      const search = new Search({
        node,
        endpoint,
        want,
        found,
        medium: this.#medium,
        timeout: this.#timeout,
        choose,
        request
      })
      const searches = this.#searches.get(key) ?? new Set()
      this.#searches.set(key, searches.add(search))
      signal.addEventListener('abort', onAbort, { once: true })
      search.ask()
    })
  }

  stored(node: Node, cid: CID): void {
    const key = blockKey(cid)
    const sources = this.#sources.get(key) ?? new NodeList()
    this.#sources.set(key, sources)
    sources.add(node)
    this.#onKept(node, cid)
    for (const search of this.#searches.get(key) ?? []) {
      if (search.node !== node) search.wake()
      else if (!search.want.remote) search.found(search.endpoint.store.get(cid) as Uint8Array)
    }
  }

  removed(node: Node, key: string): void {
    const sources = this.#sources.get(key)
    sources?.remove(node)
    if (sources?.size === 0) this.#sources.delete(key)
  }

  /** A node claims to have the block. */
  provided(key: string): void {
    for (const search of this.#searches.get(key) ?? []) search.wake()
  }

  /** The node has begun or ceased to claim that it has every block. */
  answererChanged(node: Node): void {
    if (node.answerer === undefined) this.#strangers.remove(node)
    else this.#strangers.add(node)
    this.changed()
  }

  /** The process is gone, so its searches end. */
  left(endpoint: Endpoint): void {
    for (const [key, searches] of this.#searches)
      for (const search of searches) if (search.endpoint === endpoint) this.#end(search, key)
  }

  /** Ways or hosts have changed, so each sleeping search looks again. */
  changed(): void {
    for (const searches of this.#searches.values()) for (const search of searches) search.wake()
  }

  #choose(search: Search, key: string): Node | undefined {
    const { random } = this.#medium
    const fits = (node: Node | undefined): node is Node => search.canAsk(node)
    for (const id of search.want.hints) {
      const hinted = this.#directory.node(id)
      if (fits(hinted)) return hinted
    }
    if (!this.#askAnyone) {
      for (const node of this.#directory.known(search.node, search.want.cid)) if (fits(node)) return node
      return undefined
    }
    const sources = this.#sources.get(key)
    const strangers = this.#strangers
    if (strangers.size === 0) return sources?.choose(random, fits)
    const count = sources?.size ?? 0
    const strangerFirst = randomInteger(random, count + strangers.size) >= count
    const [first, second] = strangerFirst ? [strangers, sources] : [sources, strangers]
    return first?.choose(random, fits) ?? second?.choose(random, fits)
  }

  #request(search: Search, source: Node, question: number): void {
    this.#medium.send(search.node, source, 'request', requestBytes, question, () => {
      const answer = source.answerer?.({ cid: search.want.cid, from: search.node.id })
      if (answer !== 'silence') this.#answer(search, source, question, answer)
      // A stranger's answer comes from code outside of the simulator.
      return source.answerer !== undefined
    })
  }

  #answer(search: Search, source: Node, question: number, answer: Exclude<Answer, 'silence'> | undefined): void {
    if (typeof answer === 'object' && 'after' in answer) {
      const { after, bytes } = answer
      this.#medium.after(after, () => {
        if (source.endpoint !== undefined) this.#answer(search, source, question, bytes)
        return false
      })
      return
    }
    const stored = answer === 'missing' ? undefined : source.endpoint?.store.get(search.want.cid)
    const lie = answer instanceof Uint8Array || this.#medium.chance(source.lies.blocks ?? 0)
    const lied = (): Uint8Array =>
      answer instanceof Uint8Array ? answer : garbage(this.#medium.random, stored ?? new Uint8Array())
    this.#respond(search, source, question, lie ? lied() : stored, lie)
  }

  #respond(search: Search, source: Node, question: number, bytes: Uint8Array | undefined, lie: boolean): void {
    const size = bytes?.byteLength ?? 0
    const content = bytes === undefined ? 0 : contentHash(bytes)
    this.#medium.send(source, search.node, 'response', requestBytes + size, content, () => {
      if (!search.alive) return false
      const { cid, maxBytes } = search.want
      if (bytes === undefined || size > maxBytes) {
        search.refused(question)
        return false
      }
      this.#medium.counts.fetched++
      // The simulator knows that the bytes are wrong and does not keep them. The caller of the backend has to find out.
      if (!lie) this.#keep(search, cid, bytes)
      search.found(bytes)
      return true
    })
  }

  #keep({ node, endpoint: { store } }: Search, cid: CID, bytes: Uint8Array): void {
    store.put({ cid, bytes })
    this.stored(node, cid)
  }

  #end(search: Search, key: string): void {
    search.end()
    const searches = this.#searches.get(key)
    if (searches?.delete(search) === true && searches.size === 0) this.#searches.delete(key)
  }
}

import { isP2plError, type Peer } from '@p2pl/core'
import type { CID } from 'multiformats/cid'
import { neighboursOf } from './neighbours.ts'

export interface KeeperOptions {
  /** Larger documents are fetched when somebody asks for them, not before. Bytes; 0 keeps none. Default 16 MiB. */
  readonly maxBytes?: number | undefined
  /** Documents being fetched at once. Default 4. */
  readonly concurrency?: number | undefined
}

const firstPauseMs = 500
const longestPauseMs = 60_000
const attemptMs = 15_000

interface Task {
  readonly cid: CID
  /** Bytes, as its entry says. */
  readonly size: number
  failures: number
}

/**
 * Holds a copy of each document that an entry names, so that it outlives the peer that recorded it. Fetching goes on in
 * the background, and again until it succeeds.
 */
export class DocumentKeeper {
  readonly #peer: Peer
  readonly #maxBytes: number
  readonly #concurrency: number
  readonly #stopped = new AbortController()
  /** The largest size that an entry gave for each. */
  readonly #known = new Map<string, number>()
  readonly #waiting: Task[] = []
  readonly #later = new Map<NodeJS.Timeout, Task>()
  #running = 0
  readonly #kept = new Set<string>()

  constructor(peer: Peer, options: KeeperOptions = {}) {
    this.#peer = peer
    this.#maxBytes = options.maxBytes ?? 16 * 1_024 * 1_024
    this.#concurrency = options.concurrency ?? 4
  }

  /**
   * `size` is what the entry says; a document that is larger than it says is not fetched to its end. An entry that says
   * too little must not keep the document from the peers that hear it first: one that says more counts anew.
   */
  keep(cid: CID, size: number): void {
    const key = cid.toString()
    if (size <= (this.#known.get(key) ?? -1) || size > this.#maxBytes || this.#maxBytes === 0) return
    this.#known.set(key, size)
    if (this.#kept.has(key)) return
    this.#waiting.push({ cid, size, failures: 0 })
    this.#next()
  }

  status(): { known: number; kept: number } {
    return { known: this.#known.size, kept: this.#kept.size }
  }

  stop(): void {
    this.#stopped.abort()
    this.#waiting.length = 0
    for (const timer of this.#later.keys()) clearTimeout(timer)
    this.#later.clear()
  }

  /** Tries again at once what failed: something has changed. */
  retry(): void {
    for (const [timer, task] of this.#later) {
      clearTimeout(timer)
      this.#waiting.push(task)
    }
    this.#later.clear()
    this.#next()
  }

  #next(): void {
    while (this.#running < this.#concurrency && !this.#stopped.signal.aborted) {
      const task = this.#waiting.shift()
      if (task === undefined) return
      this.#running++
      void this.#attempt(task)
    }
  }

  async #attempt(task: Task): Promise<void> {
    const signal = AbortSignal.any([this.#stopped.signal, AbortSignal.timeout(attemptMs)])
    try {
      if (!this.#kept.has(task.cid.toString())) await this.#fetch(task, signal)
      this.#kept.add(task.cid.toString())
    } catch (error) {
      // It is not what its entry says it is, and never will be: nobody can make this node fetch it again and again.
      if (!isP2plError(error, 'TOO_LARGE') && !isP2plError(error, 'UNSUPPORTED')) this.#postpone(task)
    } finally {
      this.#running--
      this.#next()
    }
  }

  async #fetch({ cid, size }: Task, signal: AbortSignal): Promise<void> {
    const { data, capabilities } = this.#peer
    // Reading it first bounds its size, whatever its root says, and verifies it.
    await data.bytes(cid, { signal, maxBytes: size, providers: await neighboursOf(this.#peer) })
    if (capabilities.blocks !== undefined && capabilities.blocks.pins !== 'none') await data.pin(cid, { signal })
  }

  #postpone(task: Task): void {
    if (this.#stopped.signal.aborted) return
    const pause = Math.min(firstPauseMs * 2 ** task.failures++, longestPauseMs)
    const timer = setTimeout(() => {
      this.#later.delete(timer)
      this.#waiting.push(task)
      this.#next()
    }, pause)
    timer.unref()
    this.#later.set(timer, task)
  }
}

import type { PeerInfo } from '@p2pl/core'
import { equalBytes, mapKey } from '../bytes.ts'
import type { Bytes } from '../bytes.ts'
import { hash } from '../cid.ts'
import { digestOfKey } from '../entry/key.ts'
import type { Key } from '../entry/key.ts'
import type { SyncNetwork } from '../replica/network.ts'
import { levelEnd, nodeKey, tableKey } from '../store/keys.ts'
import type { Store } from '../store/store.ts'
import type { Mutex } from '../toolbox/mutex.ts'
import type { Timers } from '../toolbox/timers.ts'
import { decodeNode, isLeaf } from '../tree/node.ts'

export interface HealerOptions {
  readonly store: Store
  readonly network: SyncNetwork
  readonly timers: Timers
  readonly period: number
  readonly signal: AbortSignal
  /** Held by commits and flushes. */
  readonly lock: Mutex
  /** Peers that may have what is missing here. */
  providers(): readonly PeerInfo[]
  /** Asks everybody for a block that cannot be fetched. */
  ask(digest: Bytes): Promise<Bytes>
  onDamage(digest: Bytes): void
  onMended(): void
}

/** Pauses between attempts double up to so many periods. */
const longestPause = 64

/**
 * Stored entries that do not hash to their CID any more, and the effort to get them from others: inside the leaf of the index that holds them,
 * by their own CID, or by asking everybody. It goes on, with longer and longer pauses, until they are mended.
 */
export class Healer {
  readonly #options: HealerOptions
  readonly #damaged: Map<string, Key> = new Map()
  readonly #waiting: Set<() => void> = new Set()

  constructor(options: HealerOptions) {
    this.#options = options
  }

  /** Of the damaged entries. */
  get keys(): readonly Key[] {
    return [...this.#damaged.values()]
  }

  report(key: Key): void {
    const id = mapKey(key)
    if (this.#damaged.has(id)) return
    this.#damaged.set(id, key.slice())
    this.#options.onDamage(digestOfKey(key))
    void this.#mend(id, key.slice())
  }

  /** Resolves when the entry is whole again, or after so many milliseconds, or at the stop; says which. */
  async mended(key: Key, ms: number): Promise<boolean> {
    const id = mapKey(key)
    this.report(key)
    let over = false
    const cancel = this.#options.timers.after(ms, () => {
      over = true
      this.#wake()
    })
    while (this.#damaged.has(id) && !over && !this.#options.signal.aborted) {
      await new Promise<void>((resolve) => {
        this.#waiting.add(resolve)
        this.#options.signal.addEventListener('abort', () => resolve(), { once: true })
      })
    }
    cancel()
    return !this.#damaged.has(id)
  }

  #wake(): void {
    for (const resolve of this.#waiting) resolve()
    this.#waiting.clear()
  }

  /** Bytes that came by another way; true when they were what was missing. */
  async offer(key: Key, bytes: Bytes): Promise<boolean> {
    const id = mapKey(key)
    if (!this.#damaged.has(id) || !equalBytes(await hash(bytes), digestOfKey(key))) return false
    const { store, lock, onMended } = this.#options
    await lock.run(async () => {
      await store.tables.write([{ type: 'put', key: tableKey('entry', key), value: bytes }], true)
    })
    if (this.#damaged.delete(id)) onMended()
    this.#wake()
    return true
  }

  async #mend(id: string, key: Key): Promise<void> {
    const { timers, period, signal } = this.#options
    for (let pause = 1; !signal.aborted; pause = Math.min(2 * pause, longestPause)) {
      for (const find of [this.#fromLeaf, this.#byCid, this.#byAsking]) {
        if (!this.#damaged.has(id) || signal.aborted) return
        try {
          const bytes = await find.call(this, key)
          if (bytes !== undefined && (await this.offer(key, bytes))) return
        } catch {
          // Nobody there has it; the next way or the next time may bring it.
        }
      }
      await timers.pause(pause * period)
    }
  }

  async #fromLeaf(key: Key): Promise<Bytes | undefined> {
    const { store } = this.#options
    const row = await store.tables.first({ gte: nodeKey(0, key), lt: levelEnd(0) })
    if (row === undefined) return undefined
    const node = decodeNode((await this.#fetch(row[1].slice(0, 32))).slice())
    if (!isLeaf(node)) return undefined
    for (const entry of node.entries) if (equalBytes(await hash(entry), digestOfKey(key))) return entry.slice()
    return undefined
  }

  async #byCid(key: Key): Promise<Bytes> {
    return (await this.#fetch(digestOfKey(key))).slice()
  }

  async #byAsking(key: Key): Promise<Bytes> {
    return await this.#options.ask(digestOfKey(key))
  }

  async #fetch(digest: Bytes): Promise<Bytes> {
    const { network, period, signal, providers } = this.#options
    return await network.fetch(digest, { providers: providers(), deadline: 2 * period, signal })
  }
}

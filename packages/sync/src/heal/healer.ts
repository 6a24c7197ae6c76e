import type { PeerInfo } from '@p2pl/core'
import { equalBytes, mapKey } from '../bytes.ts'
import type { Bytes } from '../bytes.ts'
import { hash } from '../cid.ts'
import { digestOfKey } from '../entry/key.ts'
import type { Key } from '../entry/key.ts'
import type { SyncNetwork } from '../replica/network.ts'
import { levelEnd, nodeKey, tableKey } from '../store/keys.ts'
import type { Store } from '../store/store.ts'
import type { Slots } from '@p2pl/core/backend'
import type { Timers } from '../toolbox/timers.ts'
import { decodeNode, isLeaf } from '../tree/node.ts'

export interface HealerOptions {
  readonly store: Store
  readonly network: SyncNetwork
  readonly timers: Timers
  readonly period: number
  readonly signal: AbortSignal
  /** A lock that commits and flushes take. */
  readonly lock: Slots
  /** Peers that may have what is missing here. */
  readonly providers: () => readonly PeerInfo[]
  /** Asks all peers for a block that cannot be fetched. */
  readonly ask: (digest: Bytes) => Promise<Bytes>
  readonly onDamage: (digest: Bytes) => void
  readonly onMended: () => void
}

interface Damage {
  readonly key: Key
  readonly whole: Promise<void>
  readonly resolve: () => void
}

/** Pauses between attempts double up to this many periods. */
const longestPause = 64

/**
 * Knows the stored entries that no longer hash to their CIDs, and gets them from others: as part of the index leaf that
 * holds them, by their own CID, or by asking all peers. It continues, with growing pauses, until they are repaired.
 */
export class Healer {
  readonly #options: HealerOptions
  readonly #damaged: Map<string, Damage> = new Map()

  constructor(options: HealerOptions) {
    this.#options = options
  }

  /** Keys of the damaged entries. */
  get keys(): readonly Key[] {
    return Array.from(this.#damaged.values(), ({ key }) => key)
  }

  report(key: Key): void {
    const id = mapKey(key)
    if (this.#damaged.has(id)) return
    const { promise: whole, resolve } = Promise.withResolvers<void>()
    const damage: Damage = { key: key.slice(), whole, resolve }
    this.#damaged.set(id, damage)
    this.#options.onDamage(digestOfKey(key))
    void this.#mend(id, damage.key)
  }

  /** Whether the entry is repaired within this many milliseconds. */
  async mended(key: Key, ms: number): Promise<boolean> {
    this.report(key)
    const id = mapKey(key)
    await Promise.race([this.#damaged.get(id)?.whole, this.#options.timers.pause(ms)])
    return !this.#damaged.has(id)
  }

  /** Takes bytes that came another way. Returns whether they were the missing ones. */
  async offer(key: Key, bytes: Bytes): Promise<boolean> {
    const id = mapKey(key)
    if (!this.#damaged.has(id) || !equalBytes(await hash(bytes), digestOfKey(key))) return false
    const { store, lock, onMended } = this.#options
    await lock.run(async () => {
      await store.tables.write([{ type: 'put', key: tableKey('entry', key), value: bytes }])
    })
    const damage = this.#damaged.get(id)
    this.#damaged.delete(id)
    damage?.resolve()
    onMended()
    return true
  }

  async #mend(id: string, key: Key): Promise<void> {
    const { timers, period, signal } = this.#options
    for (let pause = 1; !signal.aborted; pause = Math.min(2 * pause, longestPause)) {
      const ways = [
        async () => await this.#fromLeaf(key),
        async () => await this.#byCid(key),
        async () => await this.#options.ask(digestOfKey(key))
      ]
      for (const find of ways) {
        if (!this.#damaged.has(id) || signal.aborted) return
        try {
          const bytes = await find()
          if (bytes !== undefined && (await this.offer(key, bytes))) return
        } catch {
          // That source does not have it. The next source or the next attempt may.
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

  async #fetch(digest: Bytes): Promise<Bytes> {
    const { network, period, signal, providers } = this.#options
    return await network.fetch(digest, { providers: providers(), timeout: 2 * period, signal })
  }
}

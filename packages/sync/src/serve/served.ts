import { mapKey } from '../bytes.ts'
import type { Bytes } from '../bytes.ts'
import { cidOf } from '../cid.ts'
import type { EntryRecord } from '../entry/codec.ts'
import { limits } from '../limits.ts'
import type { SyncNetwork } from '../replica/network.ts'
import type { Operation } from '../store/database.ts'
import { tableEnd, tableKey, tableStart, withoutTable } from '../store/keys.ts'
import type { Store } from '../store/store.ts'
import type { Timers } from '../toolbox/timers.ts'

/** A superseded node is served until this many newer roots were published and enough time has passed. */
const keptRoots = 4
const keptPeriods = 8
/** Values of the rows: what the block is. */
export const servedNode: Bytes = Uint8Array.of(1)
const servedEntry = Uint8Array.of(2)

interface Retired {
  readonly digest: Bytes
  readonly publication: number
  readonly at: number
}

/**
 * The blocks that were given to the backend. They are noted in the store before they are handed over, so blocks left by
 * a crash are known and dropped. Superseded nodes and old entries are dropped after a while.
 */
export class Served {
  readonly #network: SyncNetwork
  readonly #store: Store
  readonly #timers: Timers
  readonly #period: number
  #retired: Retired[] = []
  #entries: Bytes[] = []
  #publication = 0

  constructor(network: SyncNetwork, store: Store, timers: Timers, period: number) {
    this.#network = network
    this.#store = store
    this.#timers = timers
    this.#period = period
  }

  async note(digests: readonly Bytes[], value: Bytes): Promise<void> {
    const operations = digests.map((digest): Operation => ({ type: 'put', key: tableKey('served', digest), value }))
    await this.#store.tables.write(operations, { sync: false })
  }

  async drop(digests: readonly Bytes[]): Promise<void> {
    for (let i = 0; i < digests.length; i += 8) {
      await Promise.all(digests.slice(i, i + 8).map(async (digest) => await this.#network.remove(digest)))
    }
    const operations = digests.map((digest): Operation => ({ type: 'del', key: tableKey('served', digest) }))
    await this.#store.tables.write(operations, { sync: false })
  }

  /** Serves recent entries, so that others can chase them one by one. */
  async serveEntries(entries: readonly EntryRecord[]): Promise<void> {
    const last = entries.slice(-limits.servedPerBurst)
    await this.note(
      last.map(({ digest }) => digest),
      servedEntry
    )
    await this.#network.put(last.map(({ digest, bytes }) => ({ cid: cidOf(digest), bytes })))
    for (const { digest } of last) this.#entries.push(digest)
    if (this.#entries.length > limits.servedEntries + limits.servedPerBurst) {
      await this.drop(this.#entries.splice(0, this.#entries.length - limits.servedEntries))
    }
  }

  /** A root was published that no longer contains these nodes. A node that comes back is not superseded. */
  async published(superseded: Iterable<Bytes>): Promise<void> {
    this.#publication++
    const now = this.#timers.now()
    for (const digest of superseded) this.#retired.push({ digest, publication: this.#publication, at: now })
    const old = (one: Retired): boolean =>
      one.publication + keptRoots <= this.#publication && one.at + keptPeriods * this.#period <= now
    const gone = this.#retired.filter(old)
    if (gone.length === 0) return
    this.#retired = this.#retired.filter((one) => !old(one))
    await this.drop(gone.map(({ digest }) => digest))
  }

  /** The blocks that earlier runs left in the backend: all of them, and the nodes among them. */
  async leftovers(): Promise<{ all: Map<string, Bytes>; nodes: Map<string, Bytes> }> {
    const all = new Map<string, Bytes>()
    const nodes = new Map<string, Bytes>()
    for await (const rows of this.#store.tables.scan({ gte: tableStart('served'), lt: tableEnd('served') })) {
      for (const [key, value] of rows) {
        const digest = withoutTable(key)
        if (value[0] === servedNode[0]) nodes.set(mapKey(digest), digest)
        all.set(mapKey(digest), digest)
      }
    }
    return { all, nodes }
  }

  /** Whether the backend still has the blocks that it was given. It checks a sample. */
  async stillThere(digests: Iterable<Bytes>): Promise<boolean> {
    if (!this.#network.persistent) return false
    let checked = 0
    for (const digest of digests) {
      if (!(await this.#network.has(digest))) return false
      if (++checked === 8) break
    }
    return checked > 0
  }
}

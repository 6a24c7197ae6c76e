import type { Slots } from '@p2pl/core/backend'
import type { Bytes } from '../bytes.ts'
import type { FetchOptions, SyncNetwork } from '../replica/network.ts'
import { tableEnd, tableKey, tableStart, withoutTable } from '../store/keys.ts'
import type { Store } from '../store/store.ts'

const noted = Uint8Array.of(1)

/**
 * Blocks of others that are read once. Most engines keep what they fetch, so a stranger could fill the disk. Each block
 * is therefore noted before it is fetched and dropped after it was read, unless this view serves it meanwhile. After a
 * crash in between, the notes remain.
 */
export class BorrowedBlocks {
  readonly #network: SyncNetwork
  readonly #store: Store
  /** Held while blocks are handed to the backend: a block must not be dropped and handed over at the same time. */
  readonly #handingOver: Slots

  constructor(network: SyncNetwork, store: Store, handingOver: Slots) {
    this.#network = network
    this.#store = store
    this.#handingOver = handingOver
  }

  async fetch(digest: Bytes, options: FetchOptions): Promise<Bytes> {
    // A block that is already here was stored by this view or by the application, and stays.
    if (this.#network.keepsFetched && !(await this.#network.has(digest))) {
      await this.#store.tables.write([{ type: 'put', key: tableKey('borrowed', digest), value: noted }], {
        sync: false
      })
    }
    return await this.#network.fetch(digest, options)
  }

  /** Drops fetched blocks. Never rejects: blocks that remain are dropped when the view is opened again. */
  async release(digests: readonly Bytes[]): Promise<void> {
    if (!this.#network.keepsFetched || digests.length === 0) return
    try {
      await this.#handingOver.run(async () => {
        for (const digest of digests) await this.#drop(digest)
      })
    } catch {
      // The store or the backend was stopped.
    }
  }

  async #drop(digest: Bytes): Promise<void> {
    const { tables } = this.#store
    const key = tableKey('borrowed', digest)
    if ((await tables.get(key)) === undefined) return
    const isServed = (await tables.get(tableKey('served', digest))) !== undefined
    if (!isServed) await this.#network.remove(digest)
    await tables.write([{ type: 'del', key }], { sync: false })
  }

  /** Drops blocks left over from a crash. */
  async resume(): Promise<void> {
    const left: Bytes[] = []
    for await (const rows of this.#store.tables.scan({ gte: tableStart('borrowed'), lt: tableEnd('borrowed') })) {
      for (const [key] of rows) left.push(withoutTable(key))
    }
    await this.release(left)
  }
}

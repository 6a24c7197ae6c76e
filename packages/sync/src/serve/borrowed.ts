import { equalBytes } from '../bytes.ts'
import type { Bytes } from '../bytes.ts'
import type { FetchOptions, SyncNetwork } from '../replica/network.ts'
import { tableKey } from '../store/keys.ts'
import type { Store } from '../store/store.ts'
import type { Slots } from '@p2pl/core/backend'

/** Value of a row of `served` for a block that was fetched and is to be dropped. */
export const borrowed: Bytes = Uint8Array.of(3)

/**
 * Blocks of others that are read once. Most engines keep what they fetch; a stranger could fill the disk with it. So each is noted before it
 * is fetched and dropped after it was read, unless it has become a block of this view meanwhile; a crash in between leaves the notes.
 */
export class BorrowedBlocks {
  readonly #network: SyncNetwork
  readonly #store: Store
  /** Held while blocks are handed to the backend: what is dropped here must not be handed over at the same time. */
  readonly #handingOver: Slots

  constructor(network: SyncNetwork, store: Store, handingOver: Slots) {
    this.#network = network
    this.#store = store
    this.#handingOver = handingOver
  }

  async fetch(digest: Bytes, options: FetchOptions): Promise<Bytes> {
    if (this.#network.keepsFetched) await this.#note(digest)
    return await this.#network.fetch(digest, options)
  }

  async #note(digest: Bytes): Promise<void> {
    const key = tableKey('served', digest)
    // What is here already was put here by this view or by the application, and stays.
    if ((await this.#store.tables.get(key)) !== undefined || (await this.#network.has(digest))) return
    await this.#store.tables.write([{ type: 'put', key, value: borrowed }], { sync: false })
  }

  /** Drops what was fetched. Never rejects: what is left is dropped when the view is opened again. */
  async release(digests: readonly Bytes[]): Promise<void> {
    if (!this.#network.keepsFetched || digests.length === 0) return
    try {
      await this.#handingOver.run(async () => {
        for (const digest of digests) {
          const key = tableKey('served', digest)
          const row = await this.#store.tables.get(key)
          if (row === undefined || !equalBytes(row, borrowed)) continue
          await this.#network.remove(digest)
          await this.#store.tables.write([{ type: 'del', key }], { sync: false })
        }
      })
    } catch {
      // Store or backend were stopped.
    }
  }
}

import type { Table } from '@p2pl/embedded'
import { contentKey } from '../overlay/keys.ts'
import type { Rendezvous } from '../overlay/rendezvous/rendezvous.ts'
import { hexOf } from '../tools/bytes.ts'

/**
 * The content that this peer provides, including content from before a restart. Core renews what it has provided.
 * Records of earlier runs are renewed here, until they are provided again or dropped.
 */
export class Provided {
  readonly #table: Table
  readonly #rendezvous: Rendezvous
  /** Keys as hexadecimal digits. */
  readonly #keys = new Set<string>()

  /** `table`: a table of multihashes. */
  constructor(table: Table, rendezvous: Rendezvous) {
    this.#table = table
    this.#rendezvous = rendezvous
  }

  async start(): Promise<void> {
    for await (const multihash of this.#table.keys()) {
      const key = contentKey(multihash)
      this.#keys.add(hexOf(key))
      this.#rendezvous.keepSoon(key)
    }
  }

  /** `key`: hexadecimal digits. */
  has(key: string): boolean {
    return this.#keys.has(key)
  }

  /** Puts out a record. Returns whether anybody has taken it. */
  async add(multihash: Uint8Array, linked: () => boolean, signal: AbortSignal): Promise<boolean> {
    const key = contentKey(multihash)
    const known = this.#keys.has(hexOf(key))
    // Before the record is out, because a peer that finds it may ask at once.
    this.#keys.add(hexOf(key))
    const rendezvous = this.#rendezvous
    let taken = false
    try {
      taken = (await rendezvous.reachable(linked, signal)) && (await rendezvous.put(key, () => {}, signal))
    } finally {
      if (!taken && !known) this.#keys.delete(hexOf(key))
    }
    if (!taken) return false
    await this.#table.write([{ key: multihash, value: new Uint8Array() }])
    return true
  }

  async remove(multihash: Uint8Array): Promise<void> {
    const key = contentKey(multihash)
    this.#keys.delete(hexOf(key))
    this.#rendezvous.drop(key)
    await this.#table.write([{ key: multihash, value: undefined }])
  }
}

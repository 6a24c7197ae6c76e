import { BoundedMap, bytesKey } from '@p2pl/core/backend'
import type { CID } from 'multiformats/cid'
import { pieceLength } from '../metainfo/info.ts'
import type { Load } from './leaves.ts'

const maxCached = 16

/**
 * Reads parts of files from their leaves. A request for a part of a piece comes with about sixty others for the same
 * leaf.
 */
export class LeafReader {
  readonly #load: Load
  readonly #cache = new BoundedMap<string, Promise<Uint8Array | undefined>>(maxCached)

  constructor(load: Load) {
    this.#load = load
  }

  /** Rejects when a leaf is not stored here. */
  async read(leaves: readonly (CID | undefined)[], start: number, length: number): Promise<Uint8Array> {
    const first = Math.floor(start / pieceLength)
    const whole = await this.#leaf(leaves[first])
    const from = start - first * pieceLength
    if (from + length <= whole.byteLength) return whole.subarray(from, from + length)
    // For pieces whose length differs from a leaf's.
    const bytes = new Uint8Array(length)
    for (let at = 0; at < length;) {
      const index = Math.floor((start + at) / pieceLength)
      const leaf = await this.#leaf(leaves[index])
      const part = leaf.subarray(start + at - index * pieceLength, start + length - index * pieceLength)
      if (part.byteLength === 0) throw new RangeError('the file ends before')
      bytes.set(part, at)
      at += part.byteLength
    }
    return bytes
  }

  async #leaf(cid: CID | undefined): Promise<Uint8Array> {
    if (cid === undefined) throw new RangeError('the file has no such leaf')
    const key = bytesKey(cid.multihash.bytes)
    const loading = this.#cache.get(key) ?? this.#load(cid)
    this.#cache.set(key, loading)
    const bytes = await loading.catch(() => undefined)
    if (bytes !== undefined) return bytes
    this.#cache.delete(key)
    throw new Error(`the leaf ${cid.toString()} is not stored here`)
  }
}

import { BoundedMap } from '@p2pl/core/backend'
import type { View } from '@p2pl/sync'
import type { CID } from 'multiformats/cid'
import { LedgerError } from '../errors.ts'
import { type Key, keyOf, textOf } from './keys.ts'

const remembered = 16_384

/** Finds the keys of entries that are named only by CID. Most parents are recent; the view knows the others. */
export class ParentKeys {
  readonly #entries: Pick<View, 'get'>
  readonly #recent = new BoundedMap<string, Key>(remembered)

  constructor(entries: Pick<View, 'get'>) {
    this.#entries = entries
  }

  remember(entry: { readonly cid: CID; readonly clock: number }): void {
    this.#recent.set(textOf(entry.cid.multihash.digest), keyOf(entry))
  }

  async of(parents: readonly CID[]): Promise<Key[]> {
    const keys: Key[] = []
    for (const cid of parents) keys.push(this.#recent.get(textOf(cid.multihash.digest)) ?? (await this.#read(cid)))
    return keys
  }

  async #read(cid: CID): Promise<Key> {
    const entry = await this.#entries.get(cid)
    if (entry === undefined)
      throw new LedgerError('INVALID_CONTENT', `the parent ${cid.toString()} of an entry is not there`)
    return keyOf(entry)
  }
}

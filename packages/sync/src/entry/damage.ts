import { equalBytes } from '../bytes.ts'
import type { Bytes } from '../bytes.ts'
import { cidOf, hash } from '../cid.ts'
import { digestOfKey } from './key.ts'
import type { Key } from './key.ts'

/** A stored entry no longer hashes to its CID. */
export class Damaged extends Error {
  override readonly name: string = 'Damaged'
  readonly key: Key

  constructor(key: Key) {
    super(`the stored entry ${cidOf(digestOfKey(key)).toString()} is damaged`)
    this.key = key
  }
}

/** Throws {@link Damaged} if the bytes are not those of the entry with this key. */
export async function checkEntry(key: Key, bytes: Bytes): Promise<void> {
  const digest = hash(bytes)
  if (!equalBytes(digest instanceof Uint8Array ? digest : await digest, digestOfKey(key))) throw new Damaged(key)
}

import { peerIdFromPublicKey } from '@p2pl/core'
import type { Entry } from '../api.ts'
import { mapKey } from '../bytes.ts'
import type { Bytes } from '../bytes.ts'
import { cidOf } from '../cid.ts'
import { BoundedMap } from '@p2pl/core/backend'
import type { EntryRecord } from './codec.ts'

// A peer id is base58, which is slow enough to cache.
const peerIds: BoundedMap<string, string> = new BoundedMap(4096)

/** The peer id of a public key. */
export function authorId(publicKey: Bytes): string {
  const key = mapKey(publicKey)
  const known = peerIds.get(key)
  if (known !== undefined) return known
  const id = peerIdFromPublicKey(publicKey)
  peerIds.set(key, id)
  return id
}

/** An entry as applications see it. It shares no memory with this package. */
export function publicEntry(record: EntryRecord): Entry {
  return {
    cid: cidOf(record.digest),
    parents: record.parents.map((parent) => cidOf(parent)),
    clock: record.clock,
    author: authorId(record.author),
    payload: record.payload.slice()
  }
}

import type { Bytes } from '../bytes.ts'
import type { EntryRecord } from '../entry/codec.ts'

/** An entry that no other entry names as a parent. */
export interface Head {
  /** The digest as a map key. */
  readonly id: string
  readonly digest: Bytes
  readonly clock: number
}

/** How the heads change when a batch of entries is written. */
export interface HeadChange {
  /** Digests of entries that are no longer heads, as map keys. */
  readonly approved: ReadonlySet<string>
  readonly heads: readonly Head[]
}

/** Leaves out the rest of the entry: any peer can create many heads with large payloads. */
export function headOf({ id, digest, clock }: EntryRecord): Head {
  return { id, digest, clock }
}

/** Of a chain of a thousand entries only the last one becomes a head; the others are never treated as heads. */
export function headChange(batch: readonly { readonly entry: EntryRecord }[]): HeadChange {
  const approved = new Set<string>()
  for (const { entry } of batch) for (const id of entry.parentIds) approved.add(id)
  const heads: Head[] = []
  for (const { entry } of batch) if (!approved.has(entry.id)) heads.push(headOf(entry))
  return { approved, heads }
}

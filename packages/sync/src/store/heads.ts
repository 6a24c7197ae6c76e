import type { Bytes } from '../bytes.ts'
import type { EntryRecord } from '../entry/codec.ts'

/** An entry that no other one names as a parent. */
export interface Head {
  /** The digest as a key of maps. */
  readonly id: string
  readonly digest: Bytes
  readonly clock: number
}

/** What entries change that are written together. */
export interface HeadChange {
  /** Digests of entries that are no heads any more, as keys of maps. */
  readonly approved: ReadonlySet<string>
  readonly heads: readonly Head[]
}

/** Without the rest of the entry: anybody can make many heads, with large payloads. */
export function headOf({ id, digest, clock }: EntryRecord): Head {
  return { id, digest, clock }
}

/** Of a chain of a thousand entries only the last one is a head: the others are never looked at as such. */
export function headChange(batch: readonly { readonly entry: EntryRecord }[]): HeadChange {
  const approved = new Set<string>()
  for (const { entry } of batch) for (const id of entry.parentIds) approved.add(id)
  const heads: Head[] = []
  for (const { entry } of batch) if (!approved.has(entry.id)) heads.push(headOf(entry))
  return { approved, heads }
}

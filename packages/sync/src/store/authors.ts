import { mapKey } from '../bytes.ts'
import type { Bytes } from '../bytes.ts'
import type { EntryRecord } from '../entry/codec.ts'
import { headOf } from './heads.ts'
import type { Head } from './heads.ts'

/**
 * For each author who appends here: a head that is the author's latest entry or descends from it. The author's next
 * entry goes on top of it.
 */
export type AuthorTips = Map<string, { readonly author: Bytes; readonly tip: Head }>

/** With more authors than this, the entries of the others are appended to any heads. */
const maxAuthors = 256

/** Moves the tips below an entry up to that entry. Returns the authors whose tip moved. */
export function moveTips(tips: AuthorTips, entry: EntryRecord, local: boolean): string[] {
  const moved: string[] = []
  for (const [id, { author, tip: before }] of tips) {
    if (!entry.parentIds.includes(before.id)) continue
    tips.set(id, { author, tip: headOf(entry) })
    moved.push(id)
  }
  if (local) {
    const id = mapKey(entry.author)
    if (!tips.has(id) && tips.size >= maxAuthors) return moved
    tips.set(id, { author: entry.author.slice(), tip: headOf(entry) })
    moved.push(id)
  }
  return moved
}

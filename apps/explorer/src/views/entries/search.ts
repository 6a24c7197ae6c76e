import type { EntryView } from '@p2pl/ledger'

/** Whether the entry contains each word of the search. */
export function matches(entry: EntryView, text: string, nameOf: (id: string) => string): boolean {
  const words = text.trim().toLowerCase().split(/\s+/)
  if (words[0] === '') return true
  const fields = [entry.cid, entry.author, nameOf(entry.author), entry.reference, entry.status, entry.reason]
  if (entry.type === 'transfer') fields.push(entry.to, nameOf(entry.to), entry.memo, entry.amount)
  else fields.push(entry.content, entry.name, entry.mediaType)
  const all = fields.filter((field) => field !== undefined).map((field) => field.toLowerCase())
  return words.every((word) => all.some((field) => field.includes(word)))
}

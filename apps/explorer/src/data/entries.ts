import { type Signal, signal } from '@preact/signals'
import type { EntryPage, EntryView } from '@p2pl/ledger'
import { getJson } from './api.ts'
import { refreshAccounts } from './accounts.ts'
import type { NodeState } from './nodes.ts'
import { followed, watchedNode } from './watched.ts'

/** A page holds this many of the newest entries. Older ones are at the node. */
export const mostEntries = 20_000
const pageSize = 1_000

const all = new Map<string, EntryView>()
/** Changes with the entries, at most a few times per second. */
export const version: Signal<number> = signal(0)
export const loading: Signal<boolean> = signal(true)

let run: AbortController | undefined
/**
 * News from events that came while entries were loaded: an entry, or its confirmations. It is newer than the loaded
 * data.
 */
const told = new Map<string, EntryView | number>()
const againMs = 2_000

/** Loads the entries of the watched node, unless they are already loaded and followed. `force` always loads them. */
export function followEntries(force = false): void {
  const node = watchedNode()
  if (node !== undefined && !force && followed.peek() === node.name && run?.signal.aborted === false) return
  run?.abort()
  if (node === undefined) return
  const current = new AbortController()
  run = current
  followed.value = node.name
  loading.value = true
  told.clear()
  void load(node, current.signal).then(
    () => {
      told.clear()
      loading.value = false
      refreshAccounts()
    },
    () => {
      if (current.signal.aborted) return
      current.abort()
      setTimeout(followEntries, againMs)
    }
  )
}

/** All entries that the page holds, in no particular order. */
export function entries(): ReadonlyMap<string, EntryView> {
  return all
}

export function takeEntry(node: string, entry: EntryView): void {
  if (node !== followed.peek()) return
  tell(entry.cid, entry)
  put(entry)
  changed()
}

export function confirmEntry(node: string, { cid, confirmations }: { cid: string; confirmations: number }): void {
  if (node !== followed.peek()) return
  tell(cid, confirmations)
  const entry = all.get(cid)
  if (entry === undefined) return
  all.set(cid, { ...entry, confirmations })
  changed()
}

/** Newest first, so that the page shows something at once. Entries that arrive meanwhile come through events. */
async function load(node: NodeState, signal_: AbortSignal): Promise<void> {
  const seen = new Set<string>()
  let after: string | undefined
  do {
    const query = new URLSearchParams({
      limit: String(pageSize),
      reverse: 'true',
      ...(after !== undefined && { after })
    })
    const page: EntryPage = await getJson(`${node.path}/entries?${query.toString()}`, signal_)
    for (const entry of page.entries) {
      seen.add(entry.cid)
      put(newer(entry))
    }
    changed()
    after = page.next
  } while (after !== undefined && seen.size < mostEntries)
}

function tell(cid: string, news: EntryView | number): void {
  const known = told.get(cid)
  if (!loading.peek()) return
  // An entry from an event is complete, but its confirmations may change later.
  told.set(cid, typeof news === 'number' && typeof known === 'object' ? { ...known, confirmations: news } : news)
}

function newer(entry: EntryView): EntryView {
  const news = told.get(entry.cid)
  if (news === undefined) return entry
  return typeof news === 'number' ? { ...entry, confirmations: news } : news
}

function put(entry: EntryView): void {
  all.set(entry.cid, entry)
  if (all.size <= mostEntries) return
  const oldest = [...all.values()].toSorted((a, b) => a.clock - b.clock).slice(0, pageSize)
  for (const { cid } of oldest) all.delete(cid)
}

/** How long changes are collected. With many entries the layout and the list are updated less often. */
const [shortMs, longMs, many] = [100, 250, 5_000]
let waiting = false

function changed(): void {
  if (waiting) return
  waiting = true
  setTimeout(
    () => {
      waiting = false
      version.value++
    },
    all.size > many ? longMs : shortMs
  )
}

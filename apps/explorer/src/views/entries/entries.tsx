import type { JSX } from 'preact'
import { useSignal } from '@preact/signals'
import { entries, followEntries, loading, version } from '../../data/entries.ts'
import { labelOf, nameOf, plural } from '../../data/names.ts'
import { isDemonstration, nodes } from '../../data/nodes.ts'
import { watched } from '../../data/watched.ts'
import { EntryCard } from './entry-card.tsx'
import { EntryTable } from './entry-table.tsx'
import { Graph } from './graph.tsx'
import { matches } from './search.ts'
import { Count } from '../../ui/count.tsx'
import { Search } from '../../ui/search.tsx'

export function Entries(): JSX.Element {
  const selected = useSignal<string | undefined>(undefined)
  const text = useSignal('')
  const only = useSignal('all')
  void version.value
  const all = entries()
  const found = [...all.values()]
    .filter((entry) => only.value === 'all' || only.value === entry.status || only.value === entry.type)
    .filter((entry) => matches(entry, text.value, nameOf))
    .toSorted((a, b) => b.clock - a.clock || (a.cid < b.cid ? 1 : -1))
  const chosen = selected.value === undefined ? undefined : all.get(selected.value)
  return (
    <>
      <Graph selected={selected} />
      {chosen !== undefined && <EntryCard entry={chosen} onClose={() => (selected.value = undefined)} />}
      <section class="card" aria-labelledby="list-title">
        <div class="head">
          <h2 id="list-title">List</h2>
          <div class="filters">
            <Search text={text} label="Search entries" hint="CID, account, memo, reference, file" />
            <select aria-label="Show" onChange={({ currentTarget }) => (only.value = currentTarget.value)}>
              <option value="all">all entries</option>
              <option value="transfer">transfers</option>
              <option value="record">files</option>
              <option value="rejected">rejected</option>
            </select>
            {isDemonstration.value && <Seen />}
          </div>
        </div>
        <Count text={loading.value && all.size === 0 ? 'loading' : plural(found.length, 'entry', 'entries')} />
        <EntryTable entries={found} selected={selected} />
      </section>
    </>
  )
}

/** Names the node whose view of the ledger is shown. */
function Seen(): JSX.Element {
  return (
    <select
      aria-label="As seen by"
      value={watched.value}
      onChange={({ currentTarget }) => {
        watched.value = currentTarget.value
        followEntries()
      }}
    >
      <option value="">as any node sees it</option>
      {nodes.value.map(({ name }) => (
        <option key={name} value={name}>
          as {labelOf(name)} sees it
        </option>
      ))}
    </select>
  )
}

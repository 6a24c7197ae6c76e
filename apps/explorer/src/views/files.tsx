import type { JSX } from 'preact'
import { useSignal } from '@preact/signals'
import { entries, version } from '../data/entries.ts'
import { bytes, nameOf } from '../data/names.ts'
import { Id } from '../ui/cid.tsx'
import { Listing } from '../ui/listing.tsx'
import { contentPath } from './entries/entry-card.tsx'
import { State } from './entries/entry-table.tsx'
import { matches } from './entries/search.ts'

const columns = [{ name: 'Name' }, { name: 'Size', number: true }, { name: 'By' }, { name: 'CID' }, { name: 'State' }]

export function Files(): JSX.Element {
  const text = useSignal('')
  void version.value
  const found = [...entries().values()]
    .filter((entry) => entry.type === 'record')
    .filter((entry) => matches(entry, text.value, nameOf))
    .toSorted((a, b) => b.clock - a.clock)
  return (
    <Listing
      title="Files"
      one="file"
      text={text}
      hint="name, type, CID, account"
      columns={columns}
      items={found}
      step={50}
      row={(entry) => (
        <tr key={entry.cid}>
          <td class="name">
            <a href={contentPath(entry)} target="_blank" rel="noopener" title={entry.mediaType}>
              {entry.name}
            </a>
          </td>
          <td class="number">{bytes(entry.size)}</td>
          <td title={entry.author}>{nameOf(entry.author)}</td>
          <td>
            <Id id={entry.content} />
          </td>
          <td>
            <State entry={entry} />
          </td>
        </tr>
      )}
    />
  )
}

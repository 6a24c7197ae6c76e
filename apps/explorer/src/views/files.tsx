import type { JSX } from 'preact'
import { useSignal } from '@preact/signals'
import { entries, version } from '../data/entries.ts'
import { bytes, nameOf, plural } from '../data/names.ts'
import { Id } from '../ui/cid.tsx'
import { contentPath } from './entries/entry-card.tsx'
import { matches } from './entries/search.ts'
import { State } from './entries/entry-table.tsx'
import { More } from '../ui/more.tsx'
import { Scroll } from '../ui/scroll.tsx'
import { Search } from '../ui/search.tsx'
import { Count } from '../ui/count.tsx'

const step = 50

export function Files(): JSX.Element {
  const text = useSignal('')
  const most = useSignal(step)
  void version.value
  const found = [...entries().values()]
    .filter((entry) => entry.type === 'record')
    .filter((entry) => matches(entry, text.value, nameOf))
    .toSorted((a, b) => b.clock - a.clock)
  return (
    <section class="card" aria-labelledby="files-title">
      <div class="head">
        <h2 id="files-title">Files</h2>
        <div class="filters">
          <Search text={text} label="Search files" hint="name, type, CID, account" />
        </div>
      </div>
      <Count text={plural(found.length, 'file')} />
      <Scroll label="Table of files">
        <table>
          <thead>
            <tr>
              <th scope="col">Name</th>
              <th scope="col" class="number">
                Size
              </th>
              <th scope="col">By</th>
              <th scope="col">CID</th>
              <th scope="col">State</th>
            </tr>
          </thead>
          <tbody>
            {found.slice(0, most.value).map((entry) => (
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
            ))}
          </tbody>
        </table>
      </Scroll>
      <More shown={most} step={step} all={found.length} />
    </section>
  )
}

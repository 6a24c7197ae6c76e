import type { JSX } from 'preact'
import { type Signal, useSignal } from '@preact/signals'
import type { EntryView } from '@p2pl/ledger'
import { bytes, nameOf } from '../../data/names.ts'
import { More } from '../../ui/more.tsx'
import { Scroll } from '../../ui/scroll.tsx'

const step = 50

/** The first entries; more on demand. */
export function EntryTable({
  entries,
  selected
}: {
  entries: readonly EntryView[]
  selected: Signal<string | undefined>
}): JSX.Element {
  const most = useSignal(step)
  return (
    <>
      <Scroll label="Table of entries">
        <table>
          <thead>
            <tr>
              <th scope="col">Entry</th>
              <th scope="col">By</th>
              <th scope="col">What</th>
              <th scope="col">State</th>
              <th scope="col" class="number">
                Clock
              </th>
            </tr>
          </thead>
          <tbody>
            {entries.slice(0, most.value).map((entry) => (
              <tr key={entry.cid} class={selected.value === entry.cid ? 'chosen' : ''}>
                <td>
                  <button
                    type="button"
                    class="id"
                    aria-pressed={selected.value === entry.cid}
                    title={entry.cid}
                    onClick={() => (selected.value = selected.value === entry.cid ? undefined : entry.cid)}
                  >
                    {entry.cid.slice(-8)}
                  </button>
                </td>
                <td title={entry.author}>{nameOf(entry.author)}</td>
                <td>{whatOf(entry)}</td>
                <td>
                  <State entry={entry} />
                </td>
                <td class="number">{entry.clock}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </Scroll>
      <More shown={most} step={step} all={entries.length} />
    </>
  )
}

function whatOf(entry: EntryView): string {
  if (entry.type === 'record') return `${entry.name} (${bytes(entry.size)})`
  const memo = entry.memo === undefined ? '' : `, “${entry.memo}”`
  return `${BigInt(entry.amount).toLocaleString('en')} to ${nameOf(entry.to)}${memo}`
}

export function State({ entry }: { entry: EntryView }): JSX.Element {
  if (entry.status === 'rejected')
    return <span class="state rejected">rejected: {entry.reason?.replaceAll('-', ' ')}</span>
  if (entry.confirmations === 0) return <span class="state waiting">waiting</span>
  return <span class="state confirmed">confirmed by {entry.confirmations}</span>
}

import type { JSX } from 'preact'
import { useSignal } from '@preact/signals'
import { labelOf, nameOf, plural } from '../data/names.ts'
import { type News, news, type NewsKind } from '../data/news.ts'
import { Id } from '../ui/cid.tsx'

const names: Readonly<Record<NewsKind, string>> = {
  gap: 'gap',
  retry: 'retry',
  fault: 'fault',
  peer: 'peer',
  good: 'recovered'
}

/** Gaps, retries, faults and peers, the newest first. */
export function Activity(): JSX.Element {
  const only = useSignal('all')
  const found = news.value.filter(({ kind }) => only.value === 'all' || only.value === kind)
  return (
    <section class="card" aria-labelledby="activity-title">
      <div class="head">
        <h2 id="activity-title">What went wrong, and what became of it</h2>
        <div class="filters">
          <select aria-label="Show" onChange={({ currentTarget }) => (only.value = currentTarget.value)}>
            <option value="all">everything</option>
            {Object.entries(names).map(([kind, name]) => (
              <option key={kind} value={kind}>
                {name}
              </option>
            ))}
          </select>
        </div>
      </div>
      {found.length === 0 && <p class="empty">Nothing has happened since this page was opened.</p>}
      <div role="log" aria-labelledby="activity-title">
        <ol class="news">
          {found.map((one) => (
            <Line key={one.number} news={one} />
          ))}
        </ol>
      </div>
    </section>
  )
}

function Line({ news: { node, kind, text, subject, detail, time, times } }: { news: News }): JSX.Element {
  return (
    <li>
      <time dateTime={time.toISOString()}>{time.toLocaleTimeString('en-GB')}</time>
      <span class={`tag ${kind}`}>{names[kind]}</span>
      <strong>{labelOf(node)}</strong>
      <div>
        {text} {subject !== '' && <Id id={subject} label={nameOf(subject)} />}
        {times > 1 && <span class="times"> and {plural(times - 1, 'time')} before</span>}
        {detail !== '' && <small title={detail}>{detail}</small>}
      </div>
    </li>
  )
}

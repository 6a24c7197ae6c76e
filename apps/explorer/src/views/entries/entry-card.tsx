import type { JSX } from 'preact'
import type { EntryView } from '@p2pl/ledger'
import { bytes, nameOf } from '../../data/names.ts'
import { watchedNode } from '../../data/watched.ts'
import { Id } from '../../ui/cid.tsx'
import { Item } from '../../ui/item.tsx'
import { State } from './entry-table.tsx'

/** All details of one entry. */
export function EntryCard({ entry, onClose }: { entry: EntryView; onClose: () => void }): JSX.Element {
  return (
    <section class="card" aria-labelledby="entry-title">
      <div class="head">
        <h2 id="entry-title">Entry {entry.cid.slice(-8)}</h2>
        <button type="button" onClick={onClose}>
          Close
        </button>
      </div>
      <dl>
        <Item name="CID">
          <Id id={entry.cid} label={entry.cid} />
        </Item>
        <Item name="By">
          <Id id={entry.author} label={nameOf(entry.author)} />, number {entry.sequence}
        </Item>
        <Item name="State">
          <State entry={entry} />
          {entry.conflict !== undefined && (
            <>
              , in conflict with <Id id={entry.conflict} label={entry.conflict.slice(-8)} />
            </>
          )}
        </Item>
        {entry.type === 'transfer' ? (
          <Item name="Transfer">
            {BigInt(entry.amount).toLocaleString('en')} to <Id id={entry.to} label={nameOf(entry.to)} />
            {entry.memo !== undefined && `, “${entry.memo}”`}
          </Item>
        ) : (
          <Item name="File">
            <a href={contentPath(entry)} target="_blank" rel="noopener">
              {entry.name}
            </a>
            , {bytes(entry.size)}, {entry.mediaType}, <Id id={entry.content} />
          </Item>
        )}
        {entry.reference !== undefined && <Item name="Reference">{entry.reference}</Item>}
        <Item name="Approves">
          {entry.parents.length === 0
            ? 'nothing: it is the first'
            : entry.parents.map((cid) => (
                <>
                  <Id key={cid} id={cid} label={cid.slice(-8)} />{' '}
                </>
              ))}
        </Item>
      </dl>
    </section>
  )
}

/** The path at which the node serves the file, with the name and type of this entry. */
export function contentPath(entry: Extract<EntryView, { type: 'record' }>): string {
  const path = watchedNode()?.path ?? '/v1'
  return `${path}/content/${encodeURIComponent(entry.content)}?entry=${encodeURIComponent(entry.cid)}`
}

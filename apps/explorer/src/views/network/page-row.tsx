import type { JSX } from 'preact'
import { colourOf } from '../../data/agreement.ts'
import { plural } from '../../data/names.ts'
import { nodes } from '../../data/nodes.ts'
import { join, pageState } from '../../data/page-peer.ts'
import { Id } from '../../ui/cid.tsx'

/** This page among the nodes. It need not trust them, and can be a peer itself. */
export function PageRow(): JSX.Element {
  const page = pageState.value
  const canJoin = page.state === 'apart' || page.state === 'failed'
  return (
    <li class={page.state === 'joined' ? '' : 'away'}>
      <span class={`chip ${page.state === 'joined' ? `root-${colourOf(page.peer.root)}` : ''}`} aria-hidden="true" />
      <div class="what">
        <strong>this page</strong>
        <Words />
        <span class="hidden" role="status">
          {page.state === 'joined' ? 'this page has joined' : ''}
        </span>
      </div>
      {canJoin && (
        <button type="button" disabled={nodes.value.length === 0} onClick={() => void join()}>
          Join
        </button>
      )}
    </li>
  )
}

function Words(): JSX.Element {
  const page = pageState.value
  switch (page.state) {
    case 'joined': {
      const { root, entries, connected, missing } = page.peer
      return (
        <span>
          root <Id id={root} label={root.slice(-8)} /> · {plural(entries, 'entry', 'entries')} verified here ·{' '}
          {plural(connected.length, 'connection')}
          {missing > 0 && ` · ${missing} missing`}
        </span>
      )
    }
    case 'joining':
      return <span>loading the engine and joining</span>
    case 'waiting':
      return <span>{page.holder ?? 'Another tab'} is this peer; this tab goes on with it when that one closes</span>
    case 'failed':
      return <span class="bad">{page.reason}</span>
    default:
      return <span>shows what the nodes say; as a peer it verifies every entry itself</span>
  }
}

import type { JSX } from 'preact'
import { useSignal } from '@preact/signals'
import { postJson, token } from '../../data/api.ts'
import { colourOf } from '../../data/agreement.ts'
import { labelOf, plural } from '../../data/names.ts'
import { isDemonstration, type NodeState, nodes } from '../../data/nodes.ts'
import { tell } from '../../data/news.ts'
import { Id } from '../../ui/cid.tsx'
import { NodeDetails } from './node-details.tsx'
import { PageRow } from './page-row.tsx'

export function NodeList(): JSX.Element {
  return (
    <section class="card" aria-labelledby="nodes-title">
      <h2 id="nodes-title">Nodes</h2>
      <ul class="nodes">
        {nodes.value.map((node) => (
          <Row key={node.name} node={node} />
        ))}
        <PageRow />
      </ul>
      {isDemonstration.value && token.value === '' && (
        <p class="hint">Enter the token to kill a node and watch it come back.</p>
      )}
    </section>
  )
}

function Row({ node }: { node: NodeState }): JSX.Element {
  const { name, life, status } = node
  const isUp = life === 'up' && status !== undefined
  return (
    <li class={isUp ? '' : 'away'}>
      <span class={`chip ${isUp ? `root-${colourOf(status.root)}` : life}`} aria-hidden="true" />
      <div class="what">
        <strong>{labelOf(name)}</strong>
        {isUp ? (
          <span>
            root <Id id={status.root} label={status.root.slice(-8)} /> · {plural(status.entries, 'entry', 'entries')} ·{' '}
            {plural(status.connections, 'connection')}
            {status.missing > 0 && ` · ${status.missing} missing`}
          </span>
        ) : (
          <span>{life === 'killed' ? 'killed; it is started again' : 'starting'}</span>
        )}
        {isUp && <NodeDetails name={labelOf(name)} status={status} />}
      </div>
      {isDemonstration.value && token.value !== '' && <Kill node={node} />}
    </li>
  )
}

function Kill({ node: { name, life } }: { node: NodeState }): JSX.Element {
  const busy = useSignal(false)
  const kill = async (): Promise<void> => {
    busy.value = true
    try {
      await postJson(`/v1/demo/peers/${encodeURIComponent(name)}/kill`, {})
      tell(name, { kind: 'peer', text: 'It was killed from this page' })
    } catch (error) {
      tell(name, { kind: 'fault', text: 'It could not be killed', detail: (error as Error).message })
    } finally {
      busy.value = false
    }
  }
  return (
    <button type="button" class="danger" disabled={life !== 'up' || busy.value} onClick={() => void kill()}>
      Kill<span class="hidden"> {name}</span>
    </button>
  )
}

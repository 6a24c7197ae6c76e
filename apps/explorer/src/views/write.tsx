import type { JSX } from 'preact'
import { useSignal } from '@preact/signals'
import { token } from '../data/api.ts'
import { watchedNode } from '../data/watched.ts'
import { labelOf } from '../data/names.ts'
import { isDemonstration, nodes } from '../data/nodes.ts'
import { RecordForm } from './record-form.tsx'
import { TransferForm } from './transfer-form.tsx'

/** Writes with the account of a node. */
export function Write(): JSX.Element {
  const chosen = useSignal('')
  const node = nodes.value.find(({ name, life }) => name === chosen.value && life === 'up') ?? watchedNode()
  if (token.value === '')
    return (
      <section class="card" aria-labelledby="locked-title">
        <h2 id="locked-title">Writing needs the token</h2>
        <p>Press “Enter token” above, and give the token that the server printed when it started.</p>
      </section>
    )
  if (node === undefined) return <p class="empty">No node runs now.</p>
  return (
    <>
      {isDemonstration.value && (
        <div class="writer">
          <label>
            Write as{' '}
            <select value={node.name} onChange={({ currentTarget }) => (chosen.value = currentTarget.value)}>
              {nodes.value
                .filter(({ life }) => life === 'up')
                .map(({ name }) => (
                  <option key={name} value={name}>
                    {labelOf(name)}
                  </option>
                ))}
            </select>
          </label>
        </div>
      )}
      <div class="two">
        <TransferForm node={node} />
        <RecordForm node={node} />
      </div>
    </>
  )
}

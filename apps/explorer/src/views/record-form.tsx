import type { JSX } from 'preact'
import { useSignal } from '@preact/signals'
import type { EntryView } from '@p2pl/ledger'
import { postFile } from '../data/api.ts'
import { bytes, plural } from '../data/names.ts'
import type { NodeState } from '../data/nodes.ts'
import { type Outcome, OutcomeLine } from '../ui/outcome.tsx'

/** Records files in sequence, dropped here or chosen. */
export function RecordForm({ node }: { node: NodeState }): JSX.Element {
  const outcome = useSignal<Outcome>({ state: 'idle' })
  const over = useSignal(false)
  const record = async (files: readonly File[]): Promise<void> => {
    try {
      for (const file of files) {
        const show = (sent: number): void => {
          outcome.value = {
            state: 'busy',
            text: `${file.name}: ${bytes(sent)} of ${bytes(file.size)}`,
            part: sent / Math.max(1, file.size)
          }
        }
        show(0)
        const query = new URLSearchParams({ name: file.name })
        await postFile<EntryView>(`${node.path}/records?${query.toString()}`, file, show)
      }
      outcome.value = { state: 'done', text: `${plural(files.length, 'file')} recorded` }
    } catch (error) {
      outcome.value = { state: 'failed', text: (error as Error).message }
    }
  }
  const start = (list: FileList | null | undefined): void => {
    if (list !== null && list !== undefined && list.length > 0 && outcome.value.state !== 'busy') void record([...list])
  }
  return (
    <section class="card" aria-labelledby="record-title">
      <h2 id="record-title">Record a file</h2>
      <p class="hint">The file stays with the nodes; the ledger keeps its CID, which proves what it was.</p>
      <label
        class={over.value ? 'drop over' : 'drop'}
        onDragOver={(event) => {
          event.preventDefault()
          over.value = true
        }}
        onDragLeave={() => (over.value = false)}
        onDrop={(event) => {
          event.preventDefault()
          over.value = false
          start(event.dataTransfer?.files)
        }}
      >
        <span>Drop files here, or choose them</span>
        <input
          type="file"
          multiple
          onChange={({ currentTarget }) => {
            start(currentTarget.files)
          }}
        />
      </label>
      <OutcomeLine outcome={outcome.value} />
    </section>
  )
}

import { type Signal, signal } from '@preact/signals'
import { type NodeState, nodes } from './nodes.ts'

/** The node whose ledger is shown, as the user chose it; empty for any that runs. */
export const watched: Signal<string> = signal('')
/** The node whose ledger is shown now. */
export const followed: Signal<string> = signal('')

/** The node that was chosen, if it runs; otherwise the one that was followed last, or the first one that runs. */
export function watchedNode(): NodeState | undefined {
  const up = nodes.value.filter(({ life }) => life === 'up')
  const named = (wanted: string): NodeState | undefined => up.find(({ name }) => name === wanted)
  return named(watched.value) ?? named(followed.value) ?? up[0]
}

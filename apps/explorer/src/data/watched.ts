import { type Signal, signal } from '@preact/signals'
import { type NodeState, nodes } from './nodes.ts'

/** The node whose ledger the user chose to see; empty for any running node. */
export const watched: Signal<string> = signal('')
/** The node whose ledger is currently shown. */
export const followed: Signal<string> = signal('')

/** The chosen node if it is running; otherwise the one that was followed last, or the first running one. */
export function watchedNode(): NodeState | undefined {
  const up = nodes.value.filter(({ life }) => life === 'up')
  const named = (wanted: string): NodeState | undefined => up.find(({ name }) => name === wanted)
  return named(watched.value) ?? named(followed.value) ?? up[0]
}

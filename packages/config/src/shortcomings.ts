import type { Backend } from '@p2pl/core'
import type { Placement } from './adapters.ts'
import { type PlainObject } from './plain.ts'
import type { PlacementWord } from './third-party.ts'

const ranks = ['none', 'process', 'power'] as const
const losses = {
  none: 'does not survive the end of the process',
  process: 'may not survive a loss of power',
  power: ''
}

/** How content that the placement wants to keep gets lost; empty if it is kept, or if there is no content. */
export function lossOf({ capabilities }: Backend, { dir, durability }: Placement): string {
  const { persistence = 'power' } = capabilities.blocks ?? {}
  const wanted = durability ?? (dir === undefined ? 'none' : 'process')
  return ranks.indexOf(persistence) < ranks.indexOf(wanted) ? losses[persistence] : ''
}

/** The parts of an application's placement, folder and addresses, that neither reach the adapter nor are set in its options. */
export function untaken(
  options: PlainObject,
  takes: readonly PlacementWord[],
  placement: Placement
): readonly ('dir' | 'listen')[] {
  return (['dir', 'listen'] as const).filter(
    (word) => placement[word] !== undefined && !takes.includes(word) && !Object.hasOwn(options, word)
  )
}

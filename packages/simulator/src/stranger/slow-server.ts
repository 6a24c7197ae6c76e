import type { Ending } from '../simulator.ts'
import type { Stranger } from './stranger.ts'

/** Claims to have every block, and answers from its store after `after` milliseconds, or never. */
export function serveSlowly(stranger: Stranger, after: number | 'never'): Ending {
  return stranger.serve(() => (after === 'never' ? 'silence' : { after }))
}

import type { Ending } from '../simulator.ts'
import type { Stranger } from './stranger.ts'

/** Says that it has every block, and answers so many milliseconds after each request, or never. Its store is what it has. */
export function serveSlowly(stranger: Stranger, after: number | 'never'): Ending {
  return stranger.serve(() => (after === 'never' ? 'silence' : { after }))
}

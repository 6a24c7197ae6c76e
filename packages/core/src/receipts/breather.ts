import type { Clock } from '../clock.ts'
import { Breather } from '../toolbox/breather.ts'

/** For reading and hashing a lot of data from a store that answers at once. */
export function newBreather(clock: Clock): Breather {
  return new Breather({ clock, bytesPerTurn: 4 * 1024 * 1024, bytesPerPiece: 0 })
}

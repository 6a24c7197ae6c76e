import { Breather, systemClock } from '@p2pl/core/backend'

/** Some 30 small messages take about 10 ms, and so does half a mebibyte. */
export function newBreather(): Breather {
  return new Breather({ clock: systemClock, bytesPerTurn: 512 * 1024, bytesPerPiece: 16 * 1024 })
}

/** A breather for whole blocks, which are read and sent without parsing: 256 small blocks, or 4 MiB of large ones. */
export function newBulkBreather(): Breather {
  return new Breather({ clock: systemClock, bytesPerTurn: 4 * 1024 * 1024, bytesPerPiece: 16 * 1024 })
}

import type { LaneMaker } from '../engine/bulk/lane.ts'

/** A page has no sockets. */
export const laneMaker: LaneMaker | undefined = undefined

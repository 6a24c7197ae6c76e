import type { Gossip } from './engine.ts'

/** How far (ms) the wall clock may drift from the monotonic clock between two checks. */
const tolerance = 2_000

/**
 * The engine measures time by the wall clock. When that clock is set back, pruned peers would stay out of their meshes,
 * and scores would stay unchanged, for as long as the step was. Call the returned function regularly.
 */
export function forgetAtClockJumps(gossip: Gossip): () => void {
  const offset = (): number => Date.now() - performance.now()
  let last = offset()
  return () => {
    const now = offset()
    if (Math.abs(now - last) > tolerance) {
      gossip.backoff.clear()
      gossip.score.scoreCache.clear()
    }
    last = now
  }
}

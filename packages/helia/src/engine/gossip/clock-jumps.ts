import type { Gossip } from './engine.ts'

/** The wall clock may drift from the monotonic one by this much (ms) between two looks. */
const tolerance = 2_000

/**
 * The engine measures time by the wall clock. When that is set back, peers that were pruned would stay out of their meshes,
 * and scores would stay what they are, for as long as the step was. Call the function now and then.
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

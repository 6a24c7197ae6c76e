import { expect } from 'vitest'
import { runSchedule } from './schedule.ts'

/** 200 seeds in all, over two files, so that both cores have something to do. `P2PL_SEED` runs one seed alone. */
export const seeds = 200

export async function runSeeds(first: number, every: number): Promise<void> {
  const only = process.env['P2PL_SEED']
  for (let seed = first; seed <= seeds; seed += every) {
    if (only !== undefined && seed !== Number(only)) continue
    try {
      // Peers have ten beacon periods; the worst of these seeds takes three.
      const outcome = await runSchedule({ seed, peers: 50, steps: 2 + (seed % 3), beaconPeriod: 1000, limit: 10 })
      expect(outcome.roots).toBe(1)
    } catch (cause) {
      throw new Error(`failed with seed ${seed}; repeat with P2PL_SEED=${seed}`, { cause })
    }
  }
}

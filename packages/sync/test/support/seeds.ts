import { createRandom } from '@p2pl/simulator'
import type { Random } from '@p2pl/simulator'
import { forSeeds as eachSeed } from '@p2pl/tooling-vitest'
import type { Seeds } from '@p2pl/tooling-vitest'
import { expect } from 'vitest'
import { runSchedule } from './schedule.ts'

/** Runs a property for some seeds, each with random numbers of its own. */
export async function forSeeds(
  name: string,
  range: Seeds,
  property: (seed: number, random: Random) => Promise<void>
): Promise<void> {
  await eachSeed(name, range, async (seed) => await property(seed, createRandom(`${name}/${seed}`)))
}

/** 200 seeds in all, every second one in each of two files, so that both cores have something to do. */
export async function runSeeds(first: 1 | 2): Promise<void> {
  // Twelve of them have every number of steps twice, with right and with wrong clocks.
  await eachSeed('50 peers', { first, step: 2, seeds: 200, short: 12 }, async (seed) => {
    // Peers have ten beacon periods; the worst of these seeds takes three. The clocks of every second group are wrong.
    const clocks = seed % 4 < 2
    const outcome = await runSchedule({
      seed,
      peers: 50,
      steps: 2 + (seed % 3),
      beaconPeriod: 1000,
      limit: 10,
      clocks
    })
    expect(outcome.roots).toBe(1)
  })
}

import { createRandom } from '@p2pl/simulator'
import type { Random } from '@p2pl/simulator'
import { expect } from 'vitest'
import { runSchedule } from './schedule.ts'

export interface Seeds {
  readonly first: number
  /** The last seed, of which `npm run test:long` runs every one. */
  readonly seeds: number
  /** How many of them are run otherwise. */
  readonly short: number
}

/** Runs a property for some seeds, and says how many are left out. `P2PL_SEED` runs one seed alone. */
export async function forSeeds(
  name: string,
  { first, seeds, short }: Seeds,
  property: (seed: number, random: Random) => Promise<void>
): Promise<void> {
  const only = process.env['P2PL_SEED']
  const all = Array.from({ length: seeds - first + 1 }, (_, i) => first + i)
  const chosen = only === undefined ? all.slice(0, process.env['P2PL_LONG'] === '1' ? seeds : short) : [Number(only)]
  if (chosen.length < all.length) {
    process.stdout.write(`${name}: ${chosen.length} of ${all.length} seeds; npm run test:long runs all of them\n`)
  }
  for (const seed of chosen) {
    try {
      await property(seed, createRandom(`${name}/${seed}`))
    } catch (cause) {
      throw new Error(`failed with seed ${seed}; repeat with P2PL_SEED=${seed}`, { cause })
    }
  }
}

/** 200 seeds in all, over two files, so that both cores have something to do. `P2PL_SEED` runs one seed alone. */
export const seeds = 200

export async function runSeeds(first: number, every: number): Promise<void> {
  const only = process.env['P2PL_SEED']
  for (let seed = first; seed <= seeds; seed += every) {
    if (only !== undefined && seed !== Number(only)) continue
    try {
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
    } catch (cause) {
      throw new Error(`failed with seed ${seed}; repeat with P2PL_SEED=${seed}`, { cause })
    }
  }
}

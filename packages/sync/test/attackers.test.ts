import { shuffle } from '@p2pl/simulator'
import type { Ending, Simulator } from '@p2pl/simulator'
import { expect, test } from 'vitest'
import { attacks } from './attackers/all.ts'
import { refusedByte } from './attackers/forge.ts'
import { runSchedule } from './support/schedule.ts'
import type { Outcome, Schedule } from './support/schedule.ts'
import { forSeeds } from './support/seeds.ts'

const honest = 10
const hostile = 5
/** Times as long as without attackers; a beacon period is the least that counts, for that long a peer may be silent. */
const factor = 5

function scheduleOf(seed: number): Schedule {
  return {
    seed,
    peers: honest,
    steps: 12,
    beaconPeriod: 1000,
    limit: 60,
    parts: 20,
    refused: refusedByte,
    discovery: seed % 2 === 0 ? 'known' : 'anyone'
  }
}

/** A third of all peers are strangers, each with an attack of its own. */
function attack(names: readonly string[]): (simulator: Simulator) => Ending {
  return (simulator) => {
    const writing: Ending[] = []
    for (const [i, name] of names.entries()) {
      const { begin, writes = false } = attacks[name]!
      const ending = begin(simulator.stranger(`mallory ${i}`))
      if (writes) writing.push(ending)
    }
    return {
      end: () => {
        for (const ending of writing) ending.end()
      }
    }
  }
}

async function beside(seed: number, names: readonly string[]): Promise<{ calm: Outcome; attacked: Outcome }> {
  const calm = await runSchedule(scheduleOf(seed))
  const attacked = await runSchedule({ ...scheduleOf(seed), attack: attack(names) })
  return { calm, attacked }
}

function expectConvergence({ calm, attacked }: { calm: Outcome; attacked: Outcome }): void {
  expect(attacked.roots).toBe(1)
  expect(attacked.periods).toBeLessThanOrEqual(factor * Math.max(1, calm.periods))
}

test.each(Object.keys(attacks))('peers agree beside five strangers with %s', { timeout: 300_000 }, async (name) => {
  expectConvergence(
    await beside(
      1,
      Array.from({ length: hostile }, () => name)
    )
  )
})

test('peers agree beside five strangers with attacks of any kind', { timeout: 3_600_000 }, async () => {
  await forSeeds('convergence beside attackers', { first: 1, seeds: 100, short: 5 }, async (seed, random) => {
    expectConvergence(await beside(seed, shuffle(random, Object.keys(attacks)).slice(0, hostile)))
  })
})

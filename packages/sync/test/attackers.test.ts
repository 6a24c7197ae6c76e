import { expect, test } from 'vitest'
import { attacks } from './attackers/all.ts'
import { anyAttacks, beside, hostile } from './support/beside.ts'
import type { Outcome } from './support/schedule.ts'
import { forSeeds } from './support/seeds.ts'

/** Times as long as without attackers; a beacon period is the least that counts, for that long a peer may be silent. */
const factor = 5

function expectConvergence({ calm, attacked }: { calm: Outcome; attacked: Outcome }): void {
  expect(attacked.roots).toBe(1)
  expect(attacked.periods).toBeLessThanOrEqual(factor * Math.max(1, calm.periods))
}

test.each(Object.keys(attacks))('peers agree beside five strangers with %s', { timeout: 1_200_000 }, async (name) => {
  expectConvergence(
    await beside(
      1,
      Array.from({ length: hostile }, () => name)
    )
  )
})

test('peers agree beside five strangers with attacks of any kind', { timeout: 3_600_000 }, async () => {
  await forSeeds('convergence beside attackers', { first: 1, seeds: 100, short: 5 }, async (seed, random) => {
    expectConvergence(await beside(seed, anyAttacks(random)))
  })
})

import { expect, it } from 'vitest'
import { costs, parseSizes } from '../src/sizes.ts'
import { read } from '../src/workspace.ts'

/** A relative tolerance, so that a small change of our own code needs no new table. */
const tolerance = 0.05
/** The table has one decimal. */
const rounding = 0.1e6

it('README says what each package costs to install', { timeout: 300_000 }, async () => {
  const all = await costs()
  const said = parseSizes(read('README.md'))
  const remedy = 'run `npx pnpm@12 --filter @p2pl/tooling-repo-checks run write:sizes`'
  const counts = (list: typeof said): object => Object.fromEntries(list.map(({ name, packages }) => [name, packages]))
  expect(counts(said), remedy).toEqual(counts(all))
  const wrong = said.filter(({ name, bytes }) => {
    const real = all.find((cost) => cost.name === name)?.bytes ?? 0
    return Math.abs(bytes - real) > tolerance * real + rounding
  })
  expect(wrong, remedy).toEqual([])
})

// How long agreement takes without and beside strangers, by hand: node -C @p2pl/source packages/sync/test/averages.ts [seeds]
import { createRandom } from '@p2pl/simulator'
import { anyAttacks, beside } from './support/beside.ts'

const [seeds = 100] = process.argv.slice(2).map(Number)
const calm: number[] = []
const attacked: number[] = []
for (let seed = 1; seed <= seeds; seed++) {
  const outcome = await beside(seed, anyAttacks(createRandom(`convergence beside attackers/${seed}`)))
  calm.push(outcome.calm.periods)
  attacked.push(outcome.attacked.periods)
}
const summary = (all: readonly number[]): { average: number; most: number } => ({
  average: Math.round((all.reduce((sum, one) => sum + one, 0) / all.length) * 1000) / 1000,
  most: Math.max(...all)
})
process.stdout.write(`${JSON.stringify({ seeds, calm: summary(calm), attacked: summary(attacked) })}\n`)

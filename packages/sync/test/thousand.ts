// The simulator property with 1,000 peers, by hand: node -C @p2pl/source packages/sync/test/thousand.ts [seed] [peers]
import { runSchedule } from './support/schedule.ts'

const [seed = 1, peers = 1000] = process.argv.slice(2).map(Number)
const start = performance.now()
const outcome = await runSchedule({ seed, peers, steps: 12, beaconPeriod: 1000, limit: 30 })
const seconds = Math.round((performance.now() - start) / 100) / 10
const megabytes = Math.round(process.memoryUsage().rss / 2 ** 20)
process.stdout.write(`${JSON.stringify({ seed, peers, ...outcome, seconds, megabytes })}\n`)

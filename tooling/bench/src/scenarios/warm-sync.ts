import type { Context, Scenario, Side } from '../harness/scenario.ts'
import { type Competitor, otherBackends, p2pl } from '../roles/nodes.ts'
import { atOnce, payloadBytes, startSource, startView } from '../roles/logs.ts'

const differences = 100

/** Two peers with the same entries. One is offline while the other appends some. */
async function syncing(of: Competitor, context: Context): Promise<Side> {
  let count = context.quick ? 10_000 : 100_000
  const source = await startSource(of, count, 1, context)
  const away = await startView(of, context)
  await away.call.connect(await source.call.self())
  await away.call.catchUp(count)
  return {
    run: async () => {
      await away.call.close()
      await source.call.append(differences, payloadBytes, atOnce)
      count += differences
      const { time, fetches } = await away.call.catchUp(count)
      return { figure: time, work: differences, also: { fetches } }
    }
  }
}

const side = (of: Competitor) => ({ ...of, prepare: (context: Context) => syncing(of, context) })

const scenarios: Scenario[] = [
  {
    name: 'warm-sync',
    title: `a peer with 100,000 entries (with --quick 10,000) opens its view and gets the ${differences} that it has missed`,
    unit: 'ms',
    better: 'lower',
    sides: [side(p2pl), ...otherBackends.map(side)]
  }
]

export default scenarios

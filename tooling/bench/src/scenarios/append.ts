import { startChild } from '../harness/child.ts'
import type { Context, Scenario, Side } from '../harness/scenario.ts'
import { alternatives, type Competitor, otherBackends, p2pl } from '../roles/nodes.ts'
import type { Signatures } from '../roles/signatures.ts'
import { atOnce, entryBytes, payloadBytes, startLog } from '../roles/logs.ts'

async function signing(count: number, context: Context): Promise<Side> {
  const child = await startChild<Signatures>(new URL('../roles/signatures.ts', import.meta.url), {}, context)
  await child.call.prepare(count, entryBytes)
  return {
    run: async () => {
      const { time } = await child.call.sign()
      return { figure: count / (time / 1_000), work: count }
    }
  }
}

async function appending(of: Competitor, count: number, context: Context): Promise<Side> {
  const child = await startLog(of, context)
  return {
    run: async () => {
      const { time } = await child.call.append(count, payloadBytes, atOnce)
      return { figure: count / (time / 1_000), work: count }
    }
  }
}

const side = (of: Competitor) => ({
  ...of,
  prepare: (context: Context) => appending(of, (context.quick ? 3_000 : 10_000) * (of.share ?? 1), context)
})

const scenarios: Scenario[] = [
  {
    name: 'append',
    title: `entries of ${entryBytes} B appended by ${atOnce} callers at once, each on disk before it is acknowledged`,
    unit: 'entries/s',
    better: 'higher',
    sides: [
      side(p2pl),
      ...otherBackends.map(side),
      ...alternatives('hypercore', 'orbitdb').map(side),
      {
        label: 'signing alone',
        kind: 'limit',
        aim: 0.8,
        prepare: (context) => signing(context.quick ? 5_000 : 20_000, context)
      }
    ]
  }
]

export default scenarios

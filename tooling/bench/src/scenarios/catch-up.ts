import { startChild } from '../harness/child.ts'
import type { Context, Scenario, Side } from '../harness/scenario.ts'
import { alternatives, type Competitor, otherBackends, p2pl } from '../roles/nodes.ts'
import type { Signatures } from '../roles/signatures.ts'
import { entryBytes, startSource, startLog } from '../roles/logs.ts'

const entries = 40_000
const countOf = ({ quick }: Context): number => (quick ? entries / 4 : entries)

async function checking(context: Context): Promise<Side> {
  const count = countOf(context) / 2
  const child = await startChild<Signatures>(new URL('../roles/signatures.ts', import.meta.url), {}, context)
  await child.call.prepare(count, entryBytes)
  return {
    run: async () => {
      const { time } = await child.call.verify()
      return { figure: count / (time / 1_000), work: count }
    }
  }
}

async function catchingUp(of: Competitor, authors: number, context: Context): Promise<Side> {
  const count = countOf(context) * (of.share ?? 1)
  const source = await startSource(of, count, authors > 100 ? Math.ceil(authors * (count / entries)) : authors, context)
  return {
    run: async () => {
      const cold = await startLog(of, context)
      try {
        await cold.call.connect(await source.call.self())
        const { time, wait } = await cold.call.catchUp(count)
        return { figure: count / (time / 1_000), work: count, also: wait === undefined ? {} : { 'first ms': wait } }
      } finally {
        await cold.close()
      }
    }
  }
}

function scenario(authors: number, aim: number): Scenario {
  const side = (of: Competitor) => ({ ...of, prepare: (context: Context) => catchingUp(of, authors, context) })
  const by = authors === 1 ? 'one author' : `${authors.toLocaleString('en')} authors in turns`
  return {
    name: `catch-up-${authors}`,
    title: `${entries.toLocaleString('en')} entries of ${entryBytes} B by ${by} (with --quick a quarter) that a peer with an empty store gets from another, from opening its view on`,
    unit: 'entries/s',
    better: 'higher',
    sides: [
      side(p2pl),
      ...otherBackends.map(side),
      ...(authors === 1 ? alternatives('hypercore', 'orbitdb') : []).map(side),
      { label: 'checks alone', kind: 'limit', aim, prepare: checking }
    ],
    runs: 5
  }
}

const scenarios: Scenario[] = [scenario(1, 2.5), scenario(4, 2.5), scenario(2_000, 0.9)]

export default scenarios

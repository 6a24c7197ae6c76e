import type { Context, Scenario, Side } from '../harness/scenario.ts'
import { alternatives, bareHelia, type Competitor, otherBackends, p2pl, rawTcp, startNodes } from '../roles/nodes.ts'

/** From 300 to 1,000 bytes, the same sizes in every run. */
const sizes = (count: number): number[] => Array.from({ length: count }, (_, i) => 300 + ((i * 263) % 701))

async function getting(of: Competitor, count: number, parallel: number, context: Context): Promise<Side> {
  const nodes = await startNodes(of, 2, context)
  const [seeder, getter] = nodes.map((node) => node.call)
  const wanted = sizes(count)
  const total = wanted.reduce((sum, size) => sum + size, 0)
  return {
    run: async () => {
      const { ids } = await seeder!.add(wanted)
      const { bytes, time } = await getter!.get(ids, parallel)
      if (bytes !== total) throw new Error(`${bytes} bytes came instead of ${total}`)
      await Promise.all([seeder!.forget(), getter!.forget()])
      return { figure: count / (time / 1_000), work: count }
    }
  }
}

function scenario(count: number, parallel: number, aim: number): Scenario {
  const side = (of: Competitor, least?: number) => ({
    ...of,
    aim: least,
    prepare: (context: Context) => getting(of, context.quick ? Math.ceil(count / 5) : count, parallel, context)
  })
  return {
    name: `small-${parallel}`,
    title: `${count.toLocaleString('en')} files of 300 to 1,000 bytes by CID from another process, ${parallel} at a time`,
    unit: 'files/s',
    better: 'higher',
    sides: [
      side(p2pl),
      ...otherBackends.map((of) => side(of)),
      side(bareHelia, aim),
      ...alternatives('iroh', 'hypercore').map((of) => side(of)),
      side(rawTcp)
    ],
    runs: 5
  }
}

const scenarios: Scenario[] = [scenario(500, 1, 1), scenario(5_000, 64, 20), scenario(5_000, 512, 20)]

export default scenarios

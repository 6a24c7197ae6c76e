import type { Context, Scenario, Side } from '../harness/scenario.ts'
import { closeAll, type Stack, startNodes } from '../nodes/node.ts'

const size = 300

async function getting(stack: Stack, count: number, parallel: number, context: Context): Promise<Side> {
  const nodes = await startNodes(stack, 2, context)
  const [seeder, getter] = nodes.map((node) => node.call)
  return {
    run: async () => {
      const cids = await seeder!.addMany(count, size)
      const { bytes, time } = await getter!.getMany(cids, parallel)
      if (bytes !== count * size) throw new Error(`${bytes} bytes came instead of ${count * size}`)
      await Promise.all([seeder!.forget(), getter!.forget()])
      return { figure: count / (time / 1_000), work: count }
    },
    close: () => closeAll(nodes)
  }
}

function scenario(count: number, parallel: number): Scenario {
  const prepare = (stack: Stack) => (context: Context) => getting(stack, count, parallel, context)
  return {
    name: `small-${parallel}`,
    title: `files of ${size} bytes by CID from another process, ${parallel} at a time`,
    unit: 'files/s',
    better: 'higher',
    aim: { ratio: 0.9 },
    baseline: { label: 'bare Helia', prepare: prepare('bare') },
    subject: { label: 'p2pl', prepare: prepare('p2pl') },
    runs: 5
  }
}

const scenarios: Scenario[] = [scenario(100, 1), scenario(500, 64), scenario(1_000, 512)]

export default scenarios

import type { Context, Scenario, Side } from '../harness/scenario.ts'
import { closeAll, type Stack, startNodes } from '../nodes/node.ts'

const MiB = 1_048_576

async function adding(stack: Stack, size: number, times: number, context: Context): Promise<Side> {
  const nodes = await startNodes(stack, 1, context)
  const node = nodes[0]!.call
  return {
    run: async () => {
      let sum = 0
      for (let i = 0; i < times; i++) sum += (await node.add(size)).time
      await node.forget()
      return { figure: (times * size) / MiB / (sum / 1_000), work: (times * size) / MiB }
    },
    close: () => closeAll(nodes)
  }
}

async function getting(stack: Stack, size: number, times: number, context: Context): Promise<Side> {
  const nodes = await startNodes(stack, 2, context)
  const [seeder, getter] = nodes.map((node) => node.call)
  return {
    run: async () => {
      let sum = 0
      for (let i = 0; i < times; i++) {
        const { cid } = await seeder!.add(size)
        const { bytes, time } = await getter!.get(cid)
        if (bytes !== size) throw new Error(`${bytes} bytes came instead of ${size}`)
        sum += time
      }
      await Promise.all([seeder!.forget(), getter!.forget()])
      return { figure: (times * size) / MiB / (sum / 1_000), work: (times * size) / MiB }
    },
    close: () => closeAll(nodes)
  }
}

function scenario(verb: 'add' | 'get', mebibytes: number, times: number, runs: number): Scenario {
  const prepare = (stack: Stack) => (context: Context) =>
    (verb === 'add' ? adding : getting)(stack, mebibytes * MiB, times, context)
  return {
    name: `${verb}-${mebibytes}mib`,
    title: verb === 'add' ? `${mebibytes} MiB into a store in memory` : `${mebibytes} MiB by CID from another process`,
    unit: 'MiB/s',
    better: 'higher',
    aim: { ratio: 0.9 },
    baseline: { label: 'bare Helia', prepare: prepare('bare') },
    subject: { label: 'p2pl', prepare: prepare('p2pl') },
    runs
  }
}

const scenarios: Scenario[] = [
  scenario('add', 1, 32, 9),
  scenario('add', 64, 1, 5),
  scenario('get', 1, 16, 9),
  scenario('get', 64, 1, 5)
]

export default scenarios

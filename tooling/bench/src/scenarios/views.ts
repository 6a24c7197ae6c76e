import { join } from 'node:path'
import { type Child, startChild } from '../harness/child.ts'
import type { Context, Scenario, Side } from '../harness/scenario.ts'
import type { Signatures } from '../nodes/signatures.ts'
import type { ViewNode } from '../nodes/view.ts'

const payloadBytes = 150
/** About the size of such an entry, which is what a signature covers. */
const entryBytes = 300

let folders = 0

function startView(context: Context): Promise<Child<ViewNode>> {
  const folder = join(context.folder, `view-${folders++}`)
  return startChild<ViewNode>(new URL('../nodes/view.ts', import.meta.url), { folder }, context)
}

async function signatures(method: 'sign' | 'verify', count: number, context: Context): Promise<Side> {
  const child = await startChild<Signatures>(new URL('../nodes/signatures.ts', import.meta.url), {}, context)
  await child.call.prepare(count, entryBytes)
  return {
    run: async () => {
      const { time } = await child.call[method]()
      return { figure: count / (time / 1_000), work: count }
    },
    close: () => child.close()
  }
}

async function appending(count: number, context: Context): Promise<Side> {
  const child = await startView(context)
  return {
    run: async () => {
      const { time } = await child.call.append(count, payloadBytes, 256)
      return { figure: count / (time / 1_000), work: count }
    },
    close: () => child.close()
  }
}

async function catchingUp(count: number, context: Context): Promise<Side> {
  const source = await startView(context)
  try {
    await source.call.append(count, payloadBytes, 256)
  } catch (error) {
    await source.close()
    throw error
  }
  return {
    run: async () => {
      const cold = await startView(context)
      try {
        const { time, wait } = await cold.call.catchUp(await source.call.self(), count)
        context.note(`${count} entries in ${Math.round(time)} ms, the first after ${Math.round(wait)} ms`)
        return { figure: count / (time / 1_000), work: count }
      } finally {
        await cold.close()
      }
    },
    close: () => source.close()
  }
}

const scenarios: Scenario[] = [
  {
    name: 'append',
    title: 'entries of 300 B appended by 256 callers at once, each on disk before it is acknowledged',
    unit: 'entries/s',
    better: 'higher',
    aim: { value: 2_000 },
    baseline: {
      label: 'signing alone',
      prepare: (context) => signatures('sign', context.quick ? 5_000 : 20_000, context)
    },
    subject: { label: 'p2pl', prepare: (context) => appending(context.quick ? 3_000 : 10_000, context) }
  },
  {
    name: 'catch-up',
    title: 'entries of 300 B that a peer with an empty store gets from another, from opening its view on',
    unit: 'entries/s',
    better: 'higher',
    aim: { ratio: 0.5 },
    baseline: {
      label: 'checks alone',
      prepare: (context) => signatures('verify', context.quick ? 5_000 : 20_000, context)
    },
    subject: { label: 'p2pl', prepare: (context) => catchingUp(context.quick ? 10_000 : 40_000, context) }
  }
]

export default scenarios

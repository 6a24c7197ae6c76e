import { fileURLToPath } from 'node:url'
import { kuboObstacle, startTestDaemon } from '@p2pl/tooling-kubo'
import { type Program, starting } from '../harness/program.ts'
import type { Context, Scenario, Side } from '../harness/scenario.ts'

const cwd = fileURLToPath(new URL('../..', import.meta.url))

async function attaching(program: Program, context: Context): Promise<Side> {
  const daemon = await startTestDaemon()
  const side = await starting(program, { cwd, env: { BENCH_URL: daemon.url }, from: 'imported', shared: true }, context)
  return { ...side, close: async () => await daemon.stop() }
}

const side = (program: Program) => ({ ...program, prepare: (context: Context) => attaching(program, context) })

const attach: Scenario = {
  name: 'kubo-attach',
  title: 'from createPeer to a peer that is ready, with a Kubo daemon that runs, in a new process',
  unit: 'ms',
  better: 'lower',
  aim: 200,
  sides: [
    side({
      label: 'p2pl',
      kind: 'p2pl',
      imports: `[import('@p2pl/core'), import('@p2pl/ipfs-rpc')]`,
      start: `await m[0].createPeer({ backend: m[1].ipfsRpc({ url: process.env.BENCH_URL }) })`
    }),
    side({
      label: 'bare kubo-rpc-client',
      kind: 'engine',
      imports: `[import('kubo-rpc-client')]`,
      start: `await m[0].create({ url: process.env.BENCH_URL }).id()`
    })
  ]
}

// Without Kubo, its other scenarios report the reason.
const scenarios: Scenario[] = (await kuboObstacle()) === undefined ? [attach] : []

export default scenarios

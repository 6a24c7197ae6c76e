import { randomBytes } from 'node:crypto'
import { createPeer } from '@p2pl/core'
import { ipfsRpc } from '@p2pl/ipfs-rpc'
import { kuboObstacle, startTestDaemon } from '@p2pl/tooling-kubo'
import { create } from 'kubo-rpc-client'
import type { Context, Run, Scenario, Side } from '../harness/scenario.ts'
import { usage } from '../harness/usage.ts'

const MiB = 1_048_576

/** What both sides can do with a separate daemon. */
interface Client {
  add(bytes: Uint8Array): Promise<string>
  get(cid: string): Promise<number>
  publish(count: number, payload: () => Uint8Array): Promise<void>
  stop(): Promise<void>
}

type Connect = (url: string) => Promise<Client>

const bare: Connect = async (url) => {
  const client = create({ url })
  // The layout that p2pl uses for each file; the daemon's default differs. The client's types lack the last option.
  const layout = { cidVersion: 1, rawLeaves: true, chunker: 'size-1048576', maxFileLinks: 1024 } as const
  return {
    add: async (bytes) => (await client.add(bytes, layout)).cid.toString(),
    get: async (cid) => await sizeOf(client.cat(cid)),
    publish: async (count, payload) => {
      // The daemon refuses concurrent publishes.
      for (let i = 0; i < count; i++) await client.pubsub.publish('bench', payload())
    },
    stop: async () => {}
  }
}

const throughP2pl: Connect = async (url) => {
  const peer = await createPeer({ backend: ipfsRpc({ url }) })
  const topic = peer.topic('bench')
  return {
    add: async (bytes) => (await peer.data.add(bytes, { provide: false })).cid.toString(),
    get: async (cid) => await sizeOf(peer.data.get(cid)),
    publish: async (count, payload) => {
      await Promise.all(Array.from({ length: count }, async () => await topic.publish(payload(), { recipients: 0 })))
    },
    stop: async () => await peer.stop()
  }
}

async function sizeOf(chunks: AsyncIterable<Uint8Array>): Promise<number> {
  let size = 0
  for await (const chunk of chunks) size += chunk.byteLength
  return size
}

async function side(connect: Connect, context: Context, measure: (client: Client) => Promise<Run>): Promise<Side> {
  const daemon = await startTestDaemon()
  const client = await connect(daemon.url)
  // The client's share. Both sides run in this process, in turns.
  context.meter.add(async () => usage())
  return {
    run: async () => await measure(client),
    close: async () => {
      await client.stop()
      await daemon.stop()
    }
  }
}

async function seconds(body: () => Promise<unknown>): Promise<number> {
  const start = performance.now()
  await body()
  return (performance.now() - start) / 1000
}

function scenario(
  name: string,
  title: string,
  unit: string,
  aim: number,
  measure: (client: Client, context: Context) => Promise<Run>
): Scenario {
  const prepare = (connect: Connect) => async (context: Context) =>
    await side(connect, context, async (client) => await measure(client, context))
  return {
    name: `kubo-${name}`,
    title,
    unit,
    better: 'higher',
    sides: [
      { label: 'p2pl', kind: 'p2pl', prepare: prepare(throughP2pl) },
      { label: 'bare kubo-rpc-client', kind: 'engine', aim, prepare: prepare(bare) }
    ]
  }
}

/** The amount for each run: a single operation of a few milliseconds would be too short to measure. */
const filesOf = (mebibytes: number): number => Math.ceil(16 / mebibytes)
const titleOf = (mebibytes: number): string =>
  filesOf(mebibytes) === 1 ? `${mebibytes} MiB` : `${filesOf(mebibytes)} times ${mebibytes} MiB, one after the other,`

function adding(mebibytes: number): Scenario {
  const title = `${titleOf(mebibytes)} into a Kubo daemon`
  return scenario(`add-${mebibytes}mib`, title, 'MiB/s', 0.97, async (client) => {
    const files = randomFiles(mebibytes)
    const time = await seconds(async () => {
      for (const bytes of files) await client.add(bytes)
    })
    const work = mebibytes * files.length
    return { figure: work / time, work }
  })
}

function getting(mebibytes: number): Scenario {
  const title = `${titleOf(mebibytes)} out of a Kubo daemon`
  return scenario(`get-${mebibytes}mib`, title, 'MiB/s', 0.97, async (client) => {
    const cids: string[] = []
    for (const bytes of randomFiles(mebibytes)) cids.push(await client.add(bytes))
    const time = await seconds(async () => {
      for (const cid of cids) {
        const size = await client.get(cid)
        if (size !== mebibytes * MiB) throw new Error(`${size} bytes came`)
      }
    })
    const work = mebibytes * cids.length
    return { figure: work / time, work }
  })
}

function randomFiles(mebibytes: number): Uint8Array[] {
  return Array.from({ length: filesOf(mebibytes) }, () => new Uint8Array(randomBytes(mebibytes * MiB)))
}

const publishing = scenario(
  'publish',
  'messages of 256 B handed to a Kubo daemon as fast as the app can',
  'messages/s',
  5,
  async (client, { quick }) => {
    const count = quick ? 200 : 1_000
    const time = await seconds(async () => await client.publish(count, () => randomBytes(256)))
    return { figure: count / time, work: count }
  }
)

const obstacle = await kuboObstacle()
if (obstacle !== undefined) console.error(`no benchmarks of Kubo: ${obstacle.message}`)

const scenarios: Scenario[] = obstacle === undefined ? [adding(1), adding(64), getting(1), getting(64), publishing] : []

export default scenarios

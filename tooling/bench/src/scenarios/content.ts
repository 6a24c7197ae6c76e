import type { Context, Scenario, Side } from '../harness/scenario.ts'
import {
  alternatives,
  bareHelia,
  type Competitor,
  otherBackends,
  p2pl,
  p2plBittorrent,
  rawTcp,
  startNodes,
  webTorrent
} from '../roles/nodes.ts'

const MiB = 1_048_576

async function adding(of: Competitor, size: number, times: number, context: Context): Promise<Side> {
  const nodes = await startNodes(of, 1, context)
  const node = nodes[0]!.call
  return {
    run: async () => {
      const { time } = await node.add(Array.from({ length: times }, () => size))
      await node.forget()
      return { figure: (times * size) / MiB / (time / 1_000), work: (times * size) / MiB }
    }
  }
}

/** Readers that all begin at once. The figure is what all of them received together. */
async function getting(of: Competitor, size: number, times: number, readers: number, context: Context): Promise<Side> {
  const nodes = await startNodes(of, readers + 1, context)
  const [seeder, ...getters] = nodes.map((node) => node.call)
  return {
    run: async () => {
      let sum = 0
      for (let i = 0; i < times; i++) {
        const { ids } = await seeder!.add([size])
        const got = await Promise.all(getters.map((getter) => getter.get(ids, 1)))
        for (const { bytes } of got) if (bytes !== size) throw new Error(`${bytes} bytes came instead of ${size}`)
        sum += Math.max(...got.map(({ time }) => time))
      }
      await Promise.all([seeder!, ...getters].map((node) => node.forget()))
      const mebibytes = (readers * times * size) / MiB
      return { figure: mebibytes / (sum / 1_000), work: mebibytes }
    }
  }
}

function add(mebibytes: number, times: number): Scenario {
  const side = (of: Competitor, aim?: number) => ({
    ...of,
    aim,
    prepare: (context: Context) => adding(of, mebibytes * MiB, times, context)
  })
  return {
    name: `add-${mebibytes}mib`,
    title: `${mebibytes} MiB into a store in memory`,
    unit: 'MiB/s',
    better: 'higher',
    sides: [side(p2pl), ...otherBackends.map((of) => side(of)), side(bareHelia, 0.97)]
  }
}

function get(mebibytes: number, times: number, readers: number, aim: number): Scenario {
  const side = (of: Competitor, least?: number) => ({
    ...of,
    aim: least,
    prepare: (context: Context) => getting(of, mebibytes * MiB, times, readers, context)
  })
  return {
    name: `get-${readers > 1 ? `${readers}x` : ''}${mebibytes}mib`,
    title: `${mebibytes} MiB by CID ${readers > 1 ? `at ${readers} other processes that begin together, in sum` : 'from another process'}`,
    unit: 'MiB/s',
    better: 'higher',
    sides: [
      side(p2pl),
      ...otherBackends.map((of) => side(of)),
      side(bareHelia, aim),
      ...alternatives('iroh').map((of) => side(of, mebibytes > 1 ? 1.8 : undefined)),
      ...alternatives('hypercore').map((of) => side(of)),
      side(rawTcp)
    ],
    runs: mebibytes > 1 ? 5 : 7
  }
}

const importing: Competitor = { label: 'p2pl by magnet link', kind: 'p2pl', stack: 'p2pl-torrent' }

/** On both sides, the file is already a torrent when it is requested. */
function torrent(leechers: number): Scenario {
  const side = (of: Competitor) => ({
    ...of,
    prepare: (context: Context) => getting(of, 64 * MiB, 1, leechers, context)
  })
  return {
    name: `torrent-${leechers}`,
    title: `64 MiB from one seeder at ${leechers === 1 ? 'one leecher' : `${leechers} leechers that begin together, in sum`}`,
    unit: 'MiB/s',
    better: 'higher',
    sides: [side(importing), side({ ...p2plBittorrent, label: 'p2pl by CID' }), side(webTorrent)],
    runs: 5
  }
}

const scenarios: Scenario[] = [
  torrent(1),
  torrent(4),
  add(1, 32),
  add(64, 1),
  get(1, 16, 1, 1),
  get(64, 1, 1, 4),
  get(256, 1, 1, 4),
  get(64, 1, 5, 4)
]

export default scenarios

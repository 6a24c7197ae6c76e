import type { Context, Scenario, Side } from '../harness/scenario.ts'
import { startLedgers } from '../roles/ledger-group.ts'
import { type Competitor, otherBackends, p2pl } from '../roles/nodes.ts'

/** The time (ms) until a group has connected and agreed. After that nothing happens. */
const settling = 10_000

const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms))

/** The cost of an idle group. */
async function beingQuiet(of: Competitor, count: number, context: Context): Promise<Side> {
  const group = await startLedgers(of, count, context)
  await group.peers[0]!.call.transfer(group.accounts[1] as string, 100, 1_000)
  await Promise.all(group.peers.map((peer) => peer.call.has(100)))
  await sleep(settling)
  return {
    run: async () => {
      const before = await context.meter.read()
      const begin = performance.now()
      await sleep(context.quick ? 10_000 : 30_000)
      const seconds = (performance.now() - begin) / 1_000
      const after = await context.meter.read()
      const share = (after.cpu - before.cpu) / 10 / seconds / count
      const [from, to] = [before.traffic?.packets, after.traffic?.packets]
      const also = from === undefined || to === undefined ? {} : { 'packets/s': (to - from) / seconds / count }
      return { figure: share, work: seconds * count, also }
    }
  }
}

/** Entries of each peer before the first measured run. Until then the compiler does most of the work. */
const warmUp = 400

/** A group in which each peer writes occasionally. */
async function writing(of: Competitor, context: Context): Promise<Side> {
  const [count, each, perSecond] = [4, context.quick ? 30 : 60, 4.5]
  const group = await startLedgers(of, count, context)
  await Promise.all(
    group.peers.map((peer, i) => peer.call.transfer(group.accounts[(i + 1) % count] as string, warmUp, 40))
  )
  let entries = warmUp * count
  await Promise.all(group.peers.map((peer) => peer.call.has(entries)))
  return {
    run: async () => {
      const before = await context.meter.read()
      await Promise.all(
        group.peers.map((peer, i) => peer.call.transfer(group.accounts[(i + 1) % count] as string, each, perSecond))
      )
      entries += each * count
      await Promise.all(group.peers.map((peer) => peer.call.has(entries)))
      const { cpu } = await context.meter.read()
      return { figure: (cpu - before.cpu) / (each * count) / count, work: each * count * count }
    }
  }
}

const quiet = (of: Competitor) => ({ ...of, prepare: (context: Context) => beingQuiet(of, 12, context) })
const live = (of: Competitor) => ({ ...of, prepare: (context: Context) => writing(of, context) })
// Two cores cannot run a Kubo daemon for each of twelve peers.
const [bittorrent, ...daemons] = otherBackends

const scenarios: Scenario[] = [
  {
    name: 'quiet',
    title: '12 peers of a ledger in which nothing happens: processor time of each',
    unit: '% of a core',
    better: 'lower',
    aim: 0.5,
    sides: [quiet(p2pl), quiet(bittorrent as Competitor)],
    runs: 3
  },
  {
    name: 'live',
    title: '4 peers of a ledger that write 18 entries a second together: processor time of each peer for one entry',
    unit: 'ms',
    better: 'lower',
    aim: 2,
    sides: [live(p2pl), live(bittorrent as Competitor), ...daemons.map(live)],
    runs: 3
  }
]

export default scenarios

import { createPeer } from '@p2pl/core'
import type { Peer } from '@p2pl/core'
import { createSimulator, randomInteger, shuffle } from '@p2pl/simulator'
import type { Ending, Random, SimulatedHost, Simulator } from '@p2pl/simulator'
import { CID } from 'multiformats/cid'
import { openView } from '../../src/index.ts'
import type { Entry, View } from '../../src/index.ts'
import { bytesOf, memoryDatabase } from './peers.ts'
import type { TestDatabase } from './peers.ts'

/** What happens to a group of peers until the network heals. */
export interface Schedule {
  readonly seed: number
  readonly peers: number
  /** Random steps: appends, crashes, partitions, losses. */
  readonly steps: number
  readonly beaconPeriod: number
  /** Beacon periods that the peers have after the network has healed and writing has stopped. */
  readonly limit: number
  /** How exactly the time is measured, in parts of a beacon period. Default 4. */
  readonly parts?: number | undefined
  /** Begins the attacks of the strangers; what it gives ends those that write entries. */
  readonly attack?: ((simulator: Simulator) => Ending) | undefined
  /** Entries with payloads that begin with this byte are refused. */
  readonly refused?: number | undefined
  /** Who is asked for a block. Default `anyone`. */
  readonly discovery?: 'anyone' | 'known' | undefined
  /** The wall clocks of the peers are wrong, and jump. */
  readonly clocks?: boolean | undefined
  /** Looks at one of the peers at the end. */
  readonly inspect?: ((peer: Peer, view: View) => Promise<void>) | undefined
}

export interface Outcome {
  readonly entries: number
  readonly acknowledged: number
  /** Beacon periods from the healing until all digests were equal. */
  readonly periods: number
  readonly roots: number
  readonly published: number
  readonly delivered: number
}

const topic = 'simulated'
const hour = 3_600_000

function between(random: Random, least: number, most: number): number {
  return least + randomInteger(random, most - least + 1)
}

interface Node {
  readonly host: SimulatedHost
  database: TestDatabase
  peer: Peer | undefined
  view: View | undefined
}

/** The database as a disk is after a crash: what was written is there, and no code of the dead process writes to it any more. */
export async function afterCrash(database: TestDatabase): Promise<TestDatabase> {
  const snapshot = database.snapshot()
  const copy = memoryDatabase()
  const rows = await database.iterator({ snapshot } as never).all()
  await snapshot.close()
  await copy.batch(rows.map(([key, value]) => ({ type: 'put' as const, key, value })))
  return copy
}

class Group {
  readonly simulator: Simulator
  readonly random: Random
  readonly nodes: Node[] = []
  readonly acknowledged: Set<string> = new Set()
  readonly #schedule: Schedule

  constructor(schedule: Schedule) {
    this.#schedule = schedule
    const { seed } = schedule
    this.simulator = createSimulator({ seed, latency: { min: 5, max: 60 }, discovery: schedule.discovery })
    this.random = this.simulator.random('schedule')
  }

  pick(): Node {
    return this.nodes[between(this.random, 0, this.nodes.length - 1)] as Node
  }

  add(): Node {
    const host = this.simulator.host(`h${this.nodes.length}`)
    const node: Node = { host, database: memoryDatabase(), peer: undefined, view: undefined }
    this.nodes.push(node)
    return node
  }

  async open(node: Node): Promise<void> {
    const { beaconPeriod, refused, clocks = false } = this.#schedule
    if (clocks) node.host.skew = between(this.random, -2 * hour, 2 * hour)
    const process = node.host.boot()
    const peer = await createPeer({ ...process })
    const { database: store } = node
    const validate = ({ payload }: Entry) => (payload[0] === refused ? ('invalid' as const) : ('valid' as const))
    node.view = await openView({ peer, topic, store, beaconPeriod, validate })
    node.peer = peer
  }

  async crash(node: Node): Promise<void> {
    node.host.crash()
    node.view = undefined
    node.peer = undefined
    node.database = await afterCrash(node.database)
  }

  append(node: Node, text: string): void {
    const { view } = node
    view?.append(bytesOf(text)).then(
      (entry: Entry) => {
        // What goes on in the objects of a crashed process goes on in no process.
        if (node.view === view) this.acknowledged.add(entry.cid.toString())
      },
      () => undefined
    )
  }

  async digests(): Promise<Set<string>> {
    const all = new Set<string>()
    for (const { view } of this.nodes) all.add((await view?.digest())?.root.toString() ?? 'down')
    return all
  }
}

/** Loss, duplication, reordering, partition, crash and late join; then healing and silence. Rejects when the digests do not become equal. */
export async function runSchedule(schedule: Schedule): Promise<Outcome> {
  const { steps, peers, beaconPeriod, limit, parts = 4 } = schedule
  const group = new Group(schedule)
  const { simulator, random } = group
  const early = Math.ceil(peers * 0.8)
  for (let i = 0; i < early; i++) group.add()
  await simulator.complete(Promise.all(group.nodes.map(async (node) => await group.open(node))))
  const attack = schedule.attack?.(simulator)
  for (let step = 0; step < steps; step++) {
    await simulator.complete(act(group, step))
    if (schedule.clocks === true) group.pick().host.skew += between(random, -hour, hour)
    await simulator.run({ for: between(random, 0, beaconPeriod / 2) })
  }
  simulator.heal()
  attack?.end()
  while (group.nodes.length < peers) group.add()
  const down = group.nodes.filter((node) => node.view === undefined)
  await simulator.complete(Promise.all(down.map(async (node) => await group.open(node))))
  const healed = simulator.now
  const equal = await simulator.runUntil(async () => (await group.digests()).size === 1, {
    limit: limit * beaconPeriod,
    every: beaconPeriod / parts
  })
  const roots = await group.digests()
  const counts = group.nodes.map(({ view }) => view?.count ?? -1)
  if (!equal) {
    throw new Error(`${roots.size} digests after ${limit} beacon periods, entries: ${[...new Set(counts)].join(', ')}`)
  }
  for (const id of group.acknowledged) {
    const { view } = group.nodes[0] as Node
    if (!(await (view as View).has(CID.parse(id)))) throw new Error(`lost the acknowledged entry ${id}`)
  }
  const [first] = group.nodes as [Node]
  if (schedule.inspect !== undefined) {
    await simulator.complete(schedule.inspect(first.peer as Peer, first.view as View))
  }
  const outcome = {
    entries: counts[0] as number,
    acknowledged: group.acknowledged.size,
    periods: (simulator.now - healed) / beaconPeriod,
    roots: roots.size,
    published: simulator.stats().published,
    delivered: simulator.stats().delivered
  }
  await simulator.complete(
    Promise.all(
      group.nodes.map(async ({ peer, view }) => {
        await view?.stop()
        await peer?.stop()
      })
    )
  )
  return outcome
}

async function act(group: Group, step: number): Promise<void> {
  const { simulator, random, nodes } = group
  const dice = random()
  if (dice < 0.5) {
    const writers = between(random, 1, 3)
    for (let i = 0; i < writers; i++) {
      const node = group.pick()
      const burst = between(random, 1, 4)
      for (let k = 0; k < burst; k++) group.append(node, `${step}.${i}.${k}`)
    }
  } else if (dice < 0.62) {
    const node = group.pick()
    if (node.view !== undefined) {
      // Also in the middle of an append.
      group.append(node, `last words ${step}`)
      for (let i = between(random, 0, 6); i > 0; i--) await Promise.resolve()
      await group.crash(node)
    }
  } else if (dice < 0.74) {
    const down = nodes.find((node) => node.view === undefined)
    if (down !== undefined) await group.open(down)
  } else if (dice < 0.84) {
    const names = shuffle(
      random,
      nodes.map(({ host }) => host.id)
    )
    const cut = between(random, 1, names.length - 1)
    simulator.partition(names.slice(0, cut), names.slice(cut))
  } else if (dice < 0.94) {
    simulator.disturb({ loss: random() * 0.6, duplicate: random() * 0.4, delay: between(random, 0, 200) })
  } else {
    simulator.heal()
  }
}

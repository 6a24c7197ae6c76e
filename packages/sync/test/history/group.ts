import { createPeer } from '@p2pl/core'
import type { Peer } from '@p2pl/core'
import { createSimulator, randomInteger, shuffle } from '@p2pl/simulator'
import type { Ending, Random, SimulatedHost, Simulator } from '@p2pl/simulator'
import { topicWithHistory } from '../../src/history/index.ts'
import type { HistoryGap, HistoryMessage, TopicWithHistory } from '../../src/history/index.ts'
import { memoryDatabase } from '../support/peers.ts'
import type { TestDatabase } from '../support/peers.ts'
import { afterCrash } from '../support/schedule.ts'
import { topic } from '../attackers/forge.ts'

export interface Conditions {
  readonly seed: number
  /** Peers that are there from the beginning, and those that come when the network has healed. */
  readonly early: number
  readonly late: number
  readonly beaconPeriod: number
  readonly discovery: 'anyone' | 'known'
}

/** A machine with an app on it: what the app has stored, its cursor included, survives a crash. */
export interface Node {
  readonly host: SimulatedHost
  database: TestDatabase
  cursor: string | undefined
  readonly got: HistoryMessage[]
  readonly gaps: HistoryGap[]
  topic: TopicWithHistory | undefined
  peer: Peer | undefined
}

export const largePayload = 80_000
const hour = 3_600_000

/** Apps on simulated machines that publish, are cut off, crash and come back. */
export class Group {
  readonly simulator: Simulator
  readonly random: Random
  readonly nodes: Node[] = []
  readonly acknowledged: Set<string> = new Set()
  readonly #conditions: Conditions

  constructor(conditions: Conditions) {
    const { seed, discovery } = conditions
    this.#conditions = conditions
    this.simulator = createSimulator({ seed, latency: { min: 5, max: 60 }, discovery })
    this.random = this.simulator.random('group')
  }

  between(least: number, most: number): number {
    return least + randomInteger(this.random, most - least + 1)
  }

  pick(): Node {
    return this.nodes[this.between(0, this.nodes.length - 1)] as Node
  }

  async add(count: number): Promise<void> {
    const added = Array.from({ length: count }, (_, i): Node => {
      const host = this.simulator.host(`h${this.nodes.length + i}`)
      return {
        host,
        database: memoryDatabase(),
        cursor: undefined,
        got: [],
        gaps: [],
        topic: undefined,
        peer: undefined
      }
    })
    this.nodes.push(...added)
    await Promise.all(added.map(async (node) => await this.open(node)))
  }

  async open(node: Node): Promise<void> {
    const { beaconPeriod } = this.#conditions
    const peer = await createPeer({ ...node.host.boot() })
    const opened = await topicWithHistory({ peer, topic, store: node.database, beaconPeriod })
    node.peer = peer
    node.topic = opened
    void this.#read(node, opened)
  }

  /** Stores each message together with its cursor, as an app does that deals with each one once. */
  async #read(node: Node, opened: TopicWithHistory): Promise<void> {
    for await (const item of opened.subscribe({ since: node.cursor, echo: true, payloadTimeout: hour })) {
      // What goes on in the objects of a crashed process goes on in no process.
      if (node.topic !== opened) return
      if (item.type === 'gap') node.gaps.push(item)
      else node.got.push(item)
      node.cursor = item.cursor
    }
  }

  publish(node: Node, bytes: number = 10): void {
    const { topic: opened } = node
    const payload = Uint8Array.from({ length: bytes }, () => Math.floor(this.random() * 256))
    opened?.publish(payload).then(
      ({ id }) => {
        if (node.topic === opened) this.acknowledged.add(id)
      },
      () => undefined
    )
  }

  async crash(node: Node): Promise<void> {
    node.host.crash()
    node.topic = undefined
    node.peer = undefined
    node.database = await afterCrash(node.database)
  }

  /** One random step. */
  async act(): Promise<void> {
    const { simulator, random, nodes } = this
    const dice = random()
    if (dice < 0.5) {
      for (let i = this.between(1, 3); i > 0; i--) {
        const node = this.pick()
        for (let k = this.between(1, 4); k > 0; k--) this.publish(node, random() < 0.15 ? largePayload : 10)
      }
    } else if (dice < 0.65) {
      const node = this.pick()
      if (node.topic !== undefined) {
        this.publish(node)
        for (let i = this.between(0, 6); i > 0; i--) await Promise.resolve()
        await this.crash(node)
      }
    } else if (dice < 0.78) {
      await this.openAll(1)
    } else if (dice < 0.88) {
      const names = shuffle(
        random,
        nodes.map(({ host }) => host.id)
      )
      const cut = this.between(1, names.length - 1)
      simulator.partition(names.slice(0, cut), names.slice(cut))
    } else if (dice < 0.96) {
      simulator.disturb({ loss: random() * 0.6, duplicate: random() * 0.4, delay: this.between(0, 200) })
    } else {
      simulator.heal()
    }
    this.pick().host.skew += this.between(-hour, hour)
  }

  /** Opens so many of the nodes that are down. */
  async openAll(most: number = Infinity): Promise<void> {
    const down = this.nodes.filter((node) => node.topic === undefined).slice(0, most)
    await Promise.all(down.map(async (node) => await this.open(node)))
  }

  async stop(): Promise<void> {
    for (const { topic: opened, peer } of this.nodes) {
      await opened?.close()
      await peer?.stop()
    }
  }
}

/** Loss, duplication, partition, crash, clocks that jump, late join; then healing and silence. */
export async function live(
  conditions: Conditions,
  steps: number,
  attack?: (simulator: Simulator) => Ending
): Promise<Group> {
  const group = new Group(conditions)
  const { simulator } = group
  await simulator.complete(group.add(conditions.early))
  const ending = attack?.(simulator)
  for (let step = 0; step < steps; step++) {
    await simulator.complete(group.act())
    await simulator.run({ for: group.between(0, conditions.beaconPeriod / 2) })
  }
  simulator.heal()
  ending?.end()
  await simulator.complete(group.openAll())
  await simulator.complete(group.add(conditions.late))
  return group
}

import { shuffle } from '@p2pl/simulator'
import type { Ending, Simulator } from '@p2pl/simulator'
import { expect, test } from 'vitest'
import { attacks } from '../attackers/all.ts'
import type { Attack } from '../attackers/all.ts'
import { forSeeds } from '../support/seeds.ts'
import { claims, spam } from './attacks.ts'
import { live } from './group.ts'
import type { Conditions, Group, Node } from './group.ts'

const beaconPeriod = 1000
const all: Readonly<Record<string, Attack>> = {
  ...attacks,
  'claims to payloads that nobody has': { begin: (stranger) => claims(stranger, 5), writes: true },
  spam: { begin: (stranger) => spam(stranger, 5), writes: true }
}

/** As many strangers, each with an attack of its own. */
function attackBy(names: readonly string[]): (simulator: Simulator) => Ending {
  return (simulator) => {
    const writing: Ending[] = []
    for (const [i, name] of names.entries()) {
      const { begin, writes = false } = all[name]!
      const ending = begin(simulator.stranger(`mallory ${i}`))
      if (writes) writing.push(ending)
    }
    return {
      end: () => {
        for (const ending of writing) ending.end()
      }
    }
  }
}

function honestSenders({ nodes }: Group): Set<string> {
  return new Set(nodes.map(({ host }) => host.identity.id))
}

function idsOf({ got }: Node, senders: ReadonlySet<string>): string[] {
  return got.filter(({ sender }) => senders.has(sender)).map(({ id }) => id)
}

function isComplete(group: Group, senders: ReadonlySet<string>): boolean {
  const ids = group.nodes.map((node) => new Set(idsOf(node, senders)))
  const union = new Set(ids.flatMap((each) => [...each]))
  return ids.every(({ size }) => size === union.size) && [...group.acknowledged].every((id) => union.has(id))
}

/** Every message once, each sender's in the order of its clocks. */
function expectOnceInOrder(node: Node): void {
  const ids = node.got.map(({ id }) => id)
  expect(new Set(ids).size).toBe(ids.length)
}

function expectOrder(node: Node, senders: ReadonlySet<string>): void {
  for (const sender of senders) {
    const clocks = node.got.filter((message) => message.sender === sender).map(({ clock }) => clock)
    expect(clocks).toEqual(clocks.toSorted((a, b) => a - b))
  }
}

test('every peer gets every message once, beside strangers that are a third of all', { timeout: 600_000 }, async () => {
  await forSeeds('messages with history', { seeds: 200, short: 6 }, async (seed, random) => {
    const conditions: Conditions = {
      seed,
      early: 5,
      late: 1,
      beaconPeriod,
      discovery: seed % 2 === 0 ? 'known' : 'anyone'
    }
    const names = shuffle(random, Object.keys(all)).slice(0, 3)
    const group = await live(conditions, 10, attackBy(names))
    const { simulator } = group
    const senders = honestSenders(group)
    const complete = await simulator.runUntil(() => isComplete(group, senders), {
      limit: 60 * beaconPeriod,
      every: beaconPeriod / 10
    })
    expect(complete).toBe(true)
    await simulator.run({ for: 5 * beaconPeriod })
    for (const node of group.nodes) {
      expectOnceInOrder(node)
      expectOrder(node, senders)
      // Nothing of honest peers was given up.
      expect(node.gaps.filter(({ sender, id }) => id !== undefined && senders.has(sender!))).toEqual([])
    }
    await simulator.complete(group.stop())
  })
})

import { conformance, type ConformanceNetwork } from '@p2pl/conformance'
import type { Backend } from '@p2pl/core/backend'
import { createMemoryStore, memory, MemoryNetwork } from '@p2pl/memory'
import { describe, it } from 'vitest'
import { bridge } from '../src/bridge.ts'
import { failover } from '../src/failover.ts'
import { mirror } from '../src/mirror.ts'
import { race } from '../src/race.ts'
import { down } from './support.ts'

const combinators: Readonly<Record<string, (legs: readonly Backend[]) => Backend>> = {
  failover: (legs) => failover(legs),
  race: (legs) => race(legs),
  bridge: ([a, b]) => bridge(a as Backend, b as Backend, { topics: ['bridged'] }),
  mirror: (legs) => mirror(legs, { quorum: 1 })
}

for (const [name, combine] of Object.entries(combinators)) {
  conformance(
    { describe, it },
    { name: `a ${name} of two memories`, create: (count) => create(count, combine), parts: ['memory', 'memory#2'] }
  )
  conformance(
    { describe, it },
    {
      name: `a ${name} whose first leg never starts`,
      create: (count) => create(count, ([first, ...others]) => combine([down(first as Backend), ...others]), 1),
      parts: ['memory', 'memory#2']
    }
  )
}

let networks = 0

/** @param dead - How many of the first legs never start: they cannot be cut off. */
function create(count: number, combine: (legs: readonly Backend[]) => Backend, dead = 0): ConformanceNetwork {
  const prefix = `combined-${++networks}`
  const sides = [new MemoryNetwork(`${prefix}-a`), new MemoryNetwork(`${prefix}-b`)]
  const peers = Array.from({ length: count }, (_, index) =>
    sides.map((network) => ({ network, id: `${network.name}-${index}`, store: createMemoryStore() }))
  )
  return {
    backends: peers.map((legs) => combine(legs.map((leg) => memory(leg)))),
    reopen: async (index) => combine((peers[index] ?? []).map((leg) => memory(leg))),
    cut: async (index) => {
      const legs = (peers[index] ?? []).slice(dead)
      for (const { network, id } of legs) network.interrupt(id)
      return async () => {
        for (const { network, id } of legs) network.resume(id)
      }
    }
  }
}

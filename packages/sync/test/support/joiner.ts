import { createPeer } from '@p2pl/core'
import { createSimulator } from '@p2pl/simulator'
import type { Ending, Simulator, SimulatorOptions } from '@p2pl/simulator'
import { openView } from '../../src/index.ts'
import type { View, ViewOptions } from '../../src/index.ts'
import { bytesOf, memoryDatabase } from './peers.ts'

export const topic = 'simulated'

export interface Joining {
  readonly simulator?: Partial<SimulatorOptions> | undefined
  readonly seed: number
  readonly honest: number
  readonly entries: number
  readonly beaconPeriod: number
  readonly attack?: ((simulator: Simulator) => Ending) | undefined
  /** How long the attack has gone on when the peer joins, in beacon periods. */
  readonly before: number
  /** Periods until the test gives up. */
  readonly limit: number
  readonly validate?: ViewOptions['validate']
}

export interface Joined {
  /** Beacon periods from the opening of the view until it was like all others. */
  readonly periods: number
  readonly count: number
  readonly simulator: Simulator
  readonly views: readonly View[]
}

/** A peer that joins while strangers attack, among honest peers that agree. */
export async function join(joining: Joining): Promise<Joined> {
  const { seed, honest, entries, beaconPeriod, attack, before, limit, validate } = joining
  const simulator = createSimulator({ seed, latency: { min: 5, max: 60 }, ...joining.simulator })
  const open = async (id: string): Promise<View> => {
    const peer = await createPeer(simulator.host(id).boot())
    return await openView({ peer, topic, store: memoryDatabase(), beaconPeriod, validate })
  }
  const views: View[] = []
  for (let i = 0; i < honest; i++) views.push(await simulator.complete(open(`honest ${i}`)))
  const [writer] = views as [View]
  await simulator.run({ for: beaconPeriod })
  for (let i = 0; i < entries; i += 50) {
    const batch = Array.from({ length: Math.min(50, entries - i) }, (_, k) => writer.append(bytesOf(`entry ${i + k}`)))
    await simulator.complete(Promise.all(batch))
    await simulator.run({ for: 20 })
  }
  await simulator.run({ for: 10 * beaconPeriod })
  const ending = attack?.(simulator)
  await simulator.run({ for: before * beaconPeriod })
  ending?.end()
  const start = simulator.now
  const joiner = await simulator.complete(open('joiner'))
  const equal = async (): Promise<boolean> => {
    if (joiner.count !== writer.count) return false
    const roots = await Promise.all([writer, joiner].map(async (view) => (await view.digest()).root.toString()))
    return roots[0] === roots[1]
  }
  await simulator.runUntil(equal, { limit: limit * beaconPeriod, every: beaconPeriod / 50 })
  const periods = (simulator.now - start) / beaconPeriod
  return { periods, count: joiner.count, simulator, views: [...views, joiner] }
}

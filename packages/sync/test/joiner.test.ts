import { measureAmplification } from '@p2pl/simulator'
import type { Ending, Simulator } from '@p2pl/simulator'
import { expect, test } from 'vitest'
import type { Entry, Validity } from '../src/index.ts'
import { attacks } from './attackers/all.ts'
import { refusedByte } from './attackers/forge.ts'
import { join } from './support/joiner.ts'
import type { Joined, Joining } from './support/joiner.ts'

const names = Object.keys(attacks)
const beaconPeriod = 2000
const validate = ({ payload }: Entry): Validity => (payload[0] === refusedByte ? 'invalid' : 'valid')

function joiningOf(discovery: 'anyone' | 'known'): Joining {
  return { seed: 1, honest: 4, entries: 330, beaconPeriod, before: 5, limit: 20, simulator: { discovery }, validate }
}

/** Half of all seeds take 0.3 to 1.5 periods beside long lies, the others 2.8 to 3.4. */
const mostPeriods: Readonly<Record<string, number>> = { 'long lies': 3.5 }

const calmOnes = new Map<string, Promise<Joined>>()

/** Computed once for all attacks: it follows from its seed alone. */
function undisturbed(discovery: 'anyone' | 'known'): Promise<Joined> {
  const calm = calmOnes.get(discovery) ?? join(joiningOf(discovery))
  calmOnes.set(discovery, calm)
  return calm
}

/** Two strangers beside four honest peers: a third of all. What it gives ends the attack where that writes entries. */
function begin(name: string): (simulator: Simulator) => Ending {
  const { begin: attack, writes = false } = attacks[name]!
  return (simulator) => {
    const endings = [0, 1].map((i) => attack(simulator.stranger(`mallory ${i}`)))
    return {
      end: () => {
        if (writes) for (const ending of endings) ending.end()
      }
    }
  }
}

test.each(names)('a peer that joins beside strangers with %s has the view within a few periods', async (name) => {
  for (const discovery of ['anyone', 'known'] as const) {
    const calm = await undisturbed(discovery)
    const attacked = await join({ ...joiningOf(discovery), attack: begin(name) })
    expect(calm.count).toBe(330)
    expect(attacked.count).toBeGreaterThanOrEqual(330)
    // Beacons come once per period at least: no attack costs more than the next few.
    expect(attacked.periods).toBeLessThanOrEqual(Math.max(5 * calm.periods, mostPeriods[name] ?? 2))
  }
})

// Valid entries are everybody's. Each has reached all peers by the topic, so peers have next to nothing to send to each other.
test.each(
  names
    .filter((name) => attacks[name]!.passedOn !== true)
    .map((name) => [name, attacks[name]!.writes === true ? 0.1 : 2] as const)
)('honest peers send for each byte of strangers with %s at most %d', { timeout: 600_000 }, async (name, most) => {
  const { simulator } = await join({ ...joiningOf('anyone'), entries: 100 })
  await simulator.run({ for: 10 * beaconPeriod })
  const attack = (): Ending => {
    const endings = [0, 1].map((i) => attacks[name]!.begin(simulator.stranger(`mallory ${i}`)))
    return {
      end: () => {
        for (const ending of endings) ending.end()
      }
    }
  }
  const { factor, strangerBytes } = await measureAmplification(simulator, { for: 20 * beaconPeriod, attack })
  expect(strangerBytes).toBeGreaterThan(0)
  expect(factor).toBeLessThanOrEqual(most)
})

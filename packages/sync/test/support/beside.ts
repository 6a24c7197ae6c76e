import { shuffle } from '@p2pl/simulator'
import type { Ending, Random, Simulator } from '@p2pl/simulator'
import { attacks } from '../attackers/all.ts'
import { refusedByte } from '../attackers/forge.ts'
import { runSchedule } from './schedule.ts'
import type { Outcome, Schedule } from './schedule.ts'

const honest = 10
export const hostile = 5

function scheduleOf(seed: number): Schedule {
  return {
    seed,
    peers: honest,
    steps: 12,
    beaconPeriod: 1000,
    limit: 60,
    parts: 20,
    refused: refusedByte,
    discovery: seed % 2 === 0 ? 'known' : 'anyone'
  }
}

/** A third of all peers are strangers, each with an attack of its own. */
function attack(names: readonly string[]): (simulator: Simulator) => Ending {
  return (simulator) => {
    const writing: Ending[] = []
    for (const [i, name] of names.entries()) {
      const { begin, writes = false } = attacks[name]!
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

/** Attacks of any kind, one for each stranger. */
export function anyAttacks(random: Random): string[] {
  return shuffle(random, Object.keys(attacks)).slice(0, hostile)
}

/** The same schedule without and with strangers. */
export async function beside(seed: number, names: readonly string[]): Promise<{ calm: Outcome; attacked: Outcome }> {
  const calm = await runSchedule(scheduleOf(seed))
  const attacked = await runSchedule({ ...scheduleOf(seed), attack: attack(names) })
  return { calm, attacked }
}

import { failure } from '../errors.ts'
import { randomInteger, shuffle } from '../random.ts'
import type { Random } from '../random.ts'
import type { Fault, FaultKind, Schedule, Timed } from './schedule.ts'

export interface ScheduleOptions {
  readonly hosts: readonly string[]
  /** Milliseconds. Default 60,000. */
  readonly duration?: number | undefined
  /** Maximum number of faults; the actual number is random. Default 12. */
  readonly maxFaults?: number | undefined
  /** Default: all kinds but `lie`. */
  readonly kinds?: readonly FaultKind[] | undefined
}

const defaultKinds: readonly FaultKind[] = [
  'partition',
  'block',
  'crash',
  'loss',
  'duplication',
  'delay',
  'slow',
  'clock',
  'late'
]

/** A finite schedule of faults that all end by `duration`. Equal random numbers give equal schedules. */
export function randomSchedule(random: Random, options: ScheduleOptions): Schedule {
  const { hosts, duration = 60_000, maxFaults = 12, kinds = defaultKinds } = options
  if (hosts.length === 0 || kinds.length === 0 || !(duration >= 2))
    throw failure(
      'INVALID_ARGUMENT',
      'randomSchedule',
      'a schedule needs hosts, kinds of faults and a duration from 2 ms'
    )
  const faults = Array.from({ length: randomInteger(random, maxFaults + 1) }, () => {
    const kind = kinds[randomInteger(random, kinds.length)] as FaultKind
    const at = kind === 'late' ? 0 : randomInteger(random, duration - 1)
    return randomFault(random, kind, hosts, { at, for: 1 + randomInteger(random, duration - at - 1) })
  })
  return { hosts, faults: faults.sort((a, b) => a.at - b.at), duration }
}

function randomFault(random: Random, kind: FaultKind, hosts: readonly string[], time: Timed): Fault {
  const host = hosts[randomInteger(random, hosts.length)] as string
  const probability = round(0.05 + random() * 0.6)
  switch (kind) {
    case 'partition': {
      const mixed = shuffle(random, [...hosts])
      const cut = 1 + randomInteger(random, Math.max(1, mixed.length - 1))
      return { kind, ...time, groups: [mixed.slice(0, cut), mixed.slice(cut)].filter((group) => group.length > 0) }
    }
    case 'block':
      return { kind, ...time, from: some(random, hosts), to: some(random, hosts) }
    case 'crash':
      return { kind, ...time, host, power: random() < 0.3, skew: random() < 0.5 ? 0 : someSkew(random) }
    case 'clock':
      return { kind, ...time, host, skew: someSkew(random) }
    case 'delay':
      return { kind, ...time, from: some(random, hosts), ms: 50 + randomInteger(random, 2000) }
    case 'slow':
      return { kind, ...time, host, factor: 2 + randomInteger(random, 20) }
    case 'lie':
      return { kind, ...time, host, blocks: probability, messages: probability }
    case 'late':
      return { kind, ...time, host }
    default:
      return { kind, ...time, probability }
  }
}

/** Between one host and about a third of the hosts. */
function some(random: Random, hosts: readonly string[]): string[] {
  return shuffle(random, [...hosts]).slice(0, 1 + randomInteger(random, Math.ceil(hosts.length / 3)))
}

/** Between one second and one day, ahead or behind. Half of the values are above five minutes. */
function someSkew(random: Random): number {
  return Math.round((random() < 0.5 ? -1 : 1) * 10 ** (3 + random() * 5))
}

function round(probability: number): number {
  return Math.round(probability * 100) / 100
}

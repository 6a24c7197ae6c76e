import { failure } from '../errors.ts'
import { randomInteger, shuffle } from './random.ts'
import type { Random } from './random.ts'

interface Timed {
  /** Milliseconds after the beginning of the schedule. */
  readonly at: number
  /** How long it lasts, milliseconds. */
  readonly for: number
}

/** One thing that goes wrong for a while. Each is independent of all others: a schedule with some taken out is still one. */
export type Fault =
  /** Nothing passes from group to group; unnamed hosts are a group of their own. */
  | (Timed & { readonly kind: 'partition'; readonly groups: readonly (readonly string[])[] })
  /** Nothing passes in this one direction. */
  | (Timed & { readonly kind: 'block'; readonly from: readonly string[]; readonly to: readonly string[] })
  /** The process ends without warning and is booted again afterwards. With `power`, unsynced blocks are lost. */
  | (Timed & { readonly kind: 'crash'; readonly host: string; readonly power: boolean })
  | (Timed & { readonly kind: 'loss'; readonly probability: number })
  | (Timed & { readonly kind: 'duplication'; readonly probability: number })
  | (Timed & { readonly kind: 'delay'; readonly from: readonly string[]; readonly ms: number })
  | (Timed & { readonly kind: 'slow'; readonly host: string; readonly factor: number })
  | (Timed & { readonly kind: 'lie'; readonly host: string; readonly blocks: number; readonly messages: number })
  /** The host is booted only when this is over. `at` is 0. */
  | (Timed & { readonly kind: 'late'; readonly host: string })

export type FaultKind = Fault['kind']

/** What happens to a set of hosts: plain data, so that it can be printed, stored and made smaller. */
export interface Schedule {
  readonly hosts: readonly string[]
  /** In the order of their beginning. */
  readonly faults: readonly Fault[]
  /** When everything is well again, milliseconds after the beginning: no fault lasts longer. */
  readonly duration: number
}

export interface ScheduleOptions {
  readonly hosts: readonly string[]
  /** Milliseconds. Default 60,000. */
  readonly duration?: number | undefined
  /** How many at most; the number itself is random. Default 12. */
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
      return { kind, ...time, host, power: random() < 0.3 }
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

/** From one host to about a third of them. */
function some(random: Random, hosts: readonly string[]): string[] {
  return shuffle(random, [...hosts]).slice(0, 1 + randomInteger(random, Math.ceil(hosts.length / 3)))
}

function round(probability: number): number {
  return Math.round(probability * 100) / 100
}

/** Smaller schedules, the boldest first: without half of the faults, without one, with one that lasts half as long. */
export function* shrinkSchedule(schedule: Schedule): Generator<Schedule> {
  const { faults } = schedule
  const half = faults.length >> 1
  if (half > 0) {
    yield { ...schedule, faults: faults.slice(half) }
    yield { ...schedule, faults: faults.slice(0, half) }
  }
  for (let i = 0; i < faults.length; i++) yield { ...schedule, faults: faults.toSpliced(i, 1) }
  for (let i = 0; i < faults.length; i++) {
    const fault = faults[i] as Fault
    if (fault.for > 1) yield { ...schedule, faults: faults.with(i, { ...fault, for: fault.for >> 1 }) }
  }
}

/** The smallest schedule on the way down that still fails; `fails` runs it, and at most `budget` (default 200) are run. */
export async function minimizeSchedule(
  schedule: Schedule,
  fails: (candidate: Schedule) => Promise<boolean>,
  budget = 200
): Promise<Schedule> {
  let smallest = schedule
  let left = budget
  for (let smaller = true; smaller;) {
    smaller = false
    for (const candidate of shrinkSchedule(smallest)) {
      if (left-- <= 0) return smallest
      if (!(await fails(candidate))) continue
      smallest = candidate
      smaller = true
      break
    }
  }
  return smallest
}

/** One line per fault, in the order of time. */
export function printSchedule({ hosts, faults, duration }: Schedule): string {
  const lines = faults.map((fault) => {
    const time = `${seconds(fault.at)} for ${seconds(fault.for)}`
    return `  ${time.padEnd(24)} ${describe(fault)}`
  })
  return [`${hosts.length} hosts, ${faults.length} faults, all well after ${seconds(duration)}`, ...lines].join('\n')
}

function describe(fault: Fault): string {
  switch (fault.kind) {
    case 'partition':
      return `partition ${fault.groups.map((group) => list(group)).join(' | ')}`
    case 'block':
      return `block ${list(fault.from)} -> ${list(fault.to)}`
    case 'crash':
      return `crash ${fault.host}${fault.power ? ', unsynced blocks lost' : ''}`
    case 'loss':
    case 'duplication':
      return `${fault.kind} ${fault.probability}`
    case 'delay':
      return `delay ${fault.ms} ms from ${list(fault.from)}`
    case 'slow':
      return `slow ${fault.host} x ${fault.factor}`
    case 'lie':
      return `lie ${fault.host}, blocks ${fault.blocks}, messages ${fault.messages}`
    default:
      return `late ${fault.host}`
  }
}

function list(ids: readonly string[]): string {
  const shown = ids.slice(0, 8).join(' ')
  return `{${ids.length > 8 ? `${shown} and ${ids.length - 8} more` : shown}}`
}

function seconds(ms: number): string {
  return `${(ms / 1000).toFixed(3)} s`
}

import type { SimulatedHost } from '../host/host.ts'
import type { Lies } from '../network/node.ts'
import type { Fault, Schedule } from './schedule.ts'
import type { Simulator } from '../simulator.ts'

export interface ScheduleHooks {
  /**
   * Boots the host and starts the code under test on it: at the beginning or late, and again after each crash. An error of
   * `start` makes the run fail. A crash freezes a `start` that is under way.
   */
  start(host: SimulatedHost): unknown
  /** The host has crashed: drop the objects of the old process. */
  crashed?(host: SimulatedHost): void
}

/**
 * Starts the hosts and runs the schedule from now on. Returns at once. After a run of `schedule.duration` all faults are
 * over and all hosts have been started. Other disturbances stay.
 */
export function applySchedule(simulator: Simulator, schedule: Schedule, hooks: ScheduleHooks): void {
  /** Number of faults that keep a host down. The host starts when the last one is over. */
  const down = new Map<string, number>()
  const conduct = new Conduct(simulator)

  const lower = (id: string): void => {
    down.set(id, (down.get(id) ?? 0) + 1)
  }
  const raise = (id: string): unknown => {
    const left = (down.get(id) ?? 0) - 1
    down.set(id, left)
    return left > 0 ? undefined : hooks.start(simulator.host(id))
  }
  const crash = (id: string, power: boolean): void => {
    lower(id)
    const host = simulator.host(id)
    if (!host.up) return
    host.crash({ unsynced: power ? 'lost' : 'kept' })
    hooks.crashed?.(host)
  }

  for (const fault of schedule.faults) {
    const over = fault.at + fault.for
    if (fault.kind === 'late') {
      lower(fault.host)
      simulator.after(over, () => raise(fault.host))
    } else if (fault.kind === 'crash') {
      simulator.after(fault.at, () => {
        crash(fault.host, fault.power)
      })
      simulator.after(over, () => {
        simulator.host(fault.host).skew += fault.skew
        return raise(fault.host)
      })
    } else
      simulator.after(fault.at, () => {
        const end = begin(simulator, conduct, fault)
        simulator.after(fault.for, end)
      })
  }
  for (const id of schedule.hosts)
    if ((down.get(id) ?? 0) === 0) simulator.after(0, () => hooks.start(simulator.host(id)))
}

type Conditional = Exclude<Fault, { kind: 'late' | 'crash' }>

function begin(simulator: Simulator, conduct: Conduct, fault: Conditional): () => void {
  switch (fault.kind) {
    case 'partition':
      return simulator.partition(...fault.groups).end
    case 'block':
      return simulator.block(fault.from, fault.to).end
    case 'loss':
      return simulator.disturb({ loss: fault.probability }).end
    case 'duplication':
      return simulator.disturb({ duplicate: fault.probability }).end
    case 'delay':
      return simulator.disturb({ from: fault.from, delay: fault.ms }).end
    case 'clock':
      return jump(simulator.host(fault.host), fault.skew)
    default:
      return conduct.begin(fault)
  }
}

function jump(host: SimulatedHost, skew: number): () => void {
  host.skew += skew
  return () => {
    host.skew -= skew
  }
}

type Misconduct = Extract<Fault, { kind: 'slow' | 'lie' }>

/** Slow and lying hosts. Faults of one host may overlap. After the last one the host is as it was before. */
class Conduct {
  readonly #simulator: Simulator
  readonly #before = new Map<string, { slowness: number; lies: Lies }>()
  readonly #faults = new Map<string, Set<Misconduct>>()

  constructor(simulator: Simulator) {
    this.#simulator = simulator
  }

  begin(fault: Misconduct): () => void {
    const { slowness, lies } = this.#simulator.host(fault.host)
    const faults = this.#faults.get(fault.host) ?? new Set()
    if (faults.size === 0) this.#before.set(fault.host, { slowness, lies })
    this.#faults.set(fault.host, faults.add(fault))
    this.#apply(fault.host, faults)
    return () => {
      faults.delete(fault)
      this.#apply(fault.host, faults)
    }
  }

  #apply(id: string, faults: ReadonlySet<Misconduct>): void {
    const host = this.#simulator.host(id)
    const before = this.#before.get(id) ?? { slowness: 1, lies: {} }
    let { slowness } = before
    let { blocks = 0, messages = 0 } = before.lies
    for (const fault of faults) {
      if (fault.kind === 'slow') slowness *= fault.factor
      else {
        blocks = Math.max(blocks, fault.blocks)
        messages = Math.max(messages, fault.messages)
      }
    }
    host.slowness = slowness
    host.lies = { blocks, messages }
  }
}

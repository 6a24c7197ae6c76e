import { type Backend, checkKeys, type Clock } from '@p2pl/core/backend'
import { capabilities } from './capabilities.ts'
import { failure } from './errors.ts'
import { Host } from './host/host.ts'
import type { SimulatedHost } from './host/host.ts'
import { Disturbances } from './network/disturbance.ts'
import type { Disturbance } from './network/disturbance.ts'
import { Medium } from './network/medium.ts'
import { SimulatedNetwork } from './network/network.ts'
import { createNode } from './network/node.ts'
import { addTraffic, createMeter } from './network/traffic.ts'
import type { Traffic } from './network/traffic.ts'
import type { SimulatorOptions, SimulatorStats } from './options.ts'
import { createRandom } from './random.ts'
import type { Random } from './random.ts'
import { createStranger } from './stranger/stranger.ts'
import type { Stranger } from './stranger/stranger.ts'
import { createClock } from './time/clock.ts'
import { EventQueue } from './time/queue.ts'
import { Runner } from './time/runner.ts'
import { Trace } from './trace.ts'

const defaultEpoch = Date.UTC(2030, 0, 1)
const defaultSyncDelay = 1000
const defaultLimit = 3_600_000

/** Ends an effect that a call began. */
export interface Ending {
  /** Idempotent. */
  readonly end: () => void
}

/** A network, its hosts and its time. Time moves only while a run is under way, and only one run may be under way. */
export interface Simulator {
  readonly seed: number | string
  /** Virtual time for code outside of any host. Its timers never stop. */
  readonly clock: Clock
  /** Virtual milliseconds since the beginning. */
  readonly now: number
  /** In the order of creation. */
  readonly hosts: readonly SimulatedHost[]
  /** The host with that id, created by the first call. */
  host(id: string): SimulatedHost
  /** The backend of a newly booted process on that host, not started yet. */
  backend(id: string): Backend
  /** A hostile peer with raw access to the network, on the host with that id, created by the first call. */
  stranger(id: string): Stranger
  /** Each label has its own random numbers, so a new label does not change the numbers of others. */
  random(label: string): Random

  /** Lets virtual time pass. */
  run(options: { readonly for: number }): Promise<void>
  /**
   * Lets time pass until the condition holds (true), or for `limit` ms, default one hour (false). The condition is checked
   * every `every` ms of virtual time, default 10. Time continues during an asynchronous check.
   */
  runUntil(
    condition: () => boolean | Promise<boolean>,
    options?: { readonly limit?: number | undefined; readonly every?: number | undefined }
  ): Promise<boolean>
  /** Lets time pass until the promise has settled, and returns its value. Throws `TIMEOUT` after `limit` ms, default one hour. */
  complete<T>(promise: PromiseLike<T>, options?: { readonly limit?: number | undefined }): Promise<T>
  /** Lets all promise work settle while time is stopped. */
  settle(): Promise<void>
  /** Calls `action` later. An error of `action` makes the run fail. */
  after(ms: number, action: () => unknown): void

  /** Begins a fault. */
  disturb(disturbance: Disturbance): Ending
  /** Nothing passes in this one direction. */
  block(from: readonly string[], to: readonly string[]): Ending
  /** Nothing passes between groups. Hosts in no group, including those created later, form their own group. */
  partition(...groups: readonly (readonly string[])[]): Ending
  /** Ends all disturbances. Slow and lying hosts stay as they are. */
  heal(): void

  /** A hash over everything that happened on the network and when. Equal runs have equal hashes. */
  traceHash(): string
  stats(): SimulatorStats
  /** The total that these hosts have sent, received and spent. Default: all hosts except strangers. */
  traffic(ids?: readonly string[]): Traffic
}

/** A simulated network in virtual time. The seed and the code that uses it decide everything that happens. */
export function createSimulator(options: SimulatorOptions): Simulator {
  checkOptions(options)
  const { seed, epoch = defaultEpoch, syncDelay = defaultSyncDelay } = options
  const queue = new EventQueue()
  const trace = new Trace()
  const disturbances = new Disturbances(options.loss ?? 0, options.duplicate ?? 0)
  const medium = new Medium(options, queue, createRandom(`${seed}/network`), trace, disturbances)
  const runner = new Runner(medium)
  const hosts = new Map<string, Host>()
  const strangers = new Map<string, Stranger>()
  const network = new SimulatedNetwork(medium, options, (node, cid) => hosts.get(node.id)?.wrote(cid))
  const promised = capabilities(options)

  function begin(end: () => boolean): Ending {
    network.changed()
    return {
      end: () => {
        if (end()) network.changed()
      }
    }
  }

  function after(ms: number, action: () => unknown): void {
    medium.after(ms, () => {
      runner.watch(action())
      return true
    })
  }

  function host(id: string): Host {
    const known = hosts.get(id)
    if (known !== undefined) return known
    if (typeof id !== 'string' || id === '' || id.length > 256)
      throw failure('INVALID_ARGUMENT', 'host', 'the id of a host is a string of 1 to 256 characters')
    const node = createNode(id, hosts.size)
    network.add(node)
    const made = new Host({ seed, node, medium, network, capabilities: promised, epoch, syncDelay })
    hosts.set(id, made)
    return made
  }

  function stranger(id: string): Stranger {
    const known = strangers.get(id)
    if (known !== undefined) return known
    const made = createStranger({ seed, host: host(id), node: network.node(id), network, medium, epoch, after })
    strangers.set(id, made)
    return made
  }

  return {
    seed,
    clock: createClock({ medium, epoch, skew: () => 0, start: 0, dead: () => false }),
    get now(): number {
      return medium.now
    },
    get hosts(): readonly SimulatedHost[] {
      return [...hosts.values()]
    },
    host,
    backend: (id) => host(id).boot().backend,
    stranger,
    random: (label) => createRandom(`${seed}/label/${label}`),

    async run({ for: ms }): Promise<void> {
      await runner.advance(ms)
    },
    async runUntil(condition, { limit = defaultLimit, every = 10 } = {}): Promise<boolean> {
      return await runner.advance(limit, condition, every)
    },
    async complete<T>(promise: PromiseLike<T>, { limit = defaultLimit } = {}): Promise<T> {
      let settled = false
      const mark = (): void => {
        settled = true
      }
      promise.then(mark, mark)
      if (await runner.advance(limit, () => settled, 0)) return await promise
      throw failure('TIMEOUT', 'complete', `the promise has not settled after ${limit} ms of virtual time`)
    },
    async settle(): Promise<void> {
      await runner.advance(0)
    },
    after,

    disturb: (disturbance) => begin(disturbances.add(disturbance)),
    block: (from, to) => begin(disturbances.add({ from, to, block: true })),
    partition: (...groups) => begin(disturbances.divide(groups)),
    heal(): void {
      disturbances.clear()
      network.changed()
    },

    traceHash: () => trace.digest(),
    stats: () => ({ events: runner.events, turns: runner.turns, ...medium.counts }),
    traffic: (ids = [...hosts.keys()].filter((id) => !strangers.has(id))) =>
      ids.reduce((sum, id) => addTraffic(sum, host(id).traffic), createMeter())
  }
}

const optionKeys = [
  'seed',
  'latency',
  'loss',
  'duplicate',
  'reorder',
  'bandwidth',
  'mesh',
  'discovery',
  'requestTimeout',
  'syncDelay',
  'epoch',
  'maxMessageBytes',
  'maxBlockBytes',
  'onTrace'
]

function checkOptions(options: SimulatorOptions): void {
  checkKeys('createSimulator', options ?? {}, optionKeys)
  const { seed, bandwidth = Infinity, mesh } = options ?? {}
  if (typeof seed !== 'number' && typeof seed !== 'string')
    throw failure('INVALID_ARGUMENT', 'createSimulator', 'seed is a number or a text: what fails is repeated by it')
  if (!(bandwidth > 0))
    throw failure(
      'INVALID_ARGUMENT',
      'createSimulator',
      `bandwidth is a number of bytes per second above 0, not ${bandwidth}`
    )
  if (mesh !== undefined && !(Number.isInteger(mesh.degree) && mesh.degree >= 2))
    throw failure('INVALID_ARGUMENT', 'createSimulator', `mesh.degree is a whole number from 2, not ${mesh.degree}`)
}

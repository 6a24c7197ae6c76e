import { blockKey, createMemoryStore } from '@p2pl/memory'
import type { MemoryStore } from '@p2pl/memory'
import type { Backend, Capabilities, Clock } from '@p2pl/core/backend'
import type { CID } from 'multiformats/cid'
import { failure } from '../errors.ts'
import type { Medium } from '../network/medium.ts'
import type { SimulatedNetwork } from '../network/network.ts'
import type { Lies, Node } from '../network/node.ts'
import type { Traffic } from '../network/traffic.ts'
import { createRandom } from '../random.ts'
import type { Random } from '../random.ts'
import { createClock } from '../time/clock.ts'
import { createBackend } from './backend.ts'
import { freezable } from './freeze.ts'
import { simulatedCryptography, simulatedIdentity } from './identity.ts'
import type { SimulatedCryptography, SimulatedIdentity } from './identity.ts'

/** A process on a host, from one boot to its end. Can be passed to `createPeer` directly. */
export interface SimulatedProcess {
  readonly backend: Backend
  readonly identity: SimulatedIdentity
  readonly environment: {
    /** Its timers stop when the host crashes. Its monotonic time starts at 0 with each boot. */
    readonly clock: Clock
    readonly random: Random
    readonly cryptography: SimulatedCryptography
  }
}

export interface CrashOptions {
  /** `lost`: the power failed, and the blocks of the last `syncDelay` milliseconds are gone. Default `kept`. */
  readonly unsynced?: 'kept' | 'lost' | undefined
}

/** A machine of the simulated network. Only its store, its disk and its identity survive a crash. */
export interface SimulatedHost {
  readonly id: string
  /** Blocks and pins. */
  readonly store: MemoryStore
  /** Other things that the code under test keeps on disk, such as an in-memory database. */
  readonly disk: Map<string, unknown>
  readonly identity: SimulatedIdentity
  /** Whether a process has been booted and not crashed. */
  readonly up: boolean
  /** Multiplies every latency from and to the host; at least 0. Default 1. */
  slowness: number
  lies: Lies
  /**
   * How far the host's wall clock is ahead, in milliseconds; negative if it is behind. Setting it while a process runs
   * makes the clock jump. Default 0.
   */
  skew: number
  /** How much the host has sent, received and spent, over all its processes. */
  readonly traffic: Traffic
  /** Starts a new process, whose backend is not started yet. Throws `LOCKED` while the backend of an earlier process runs. */
  boot(): SimulatedProcess
  /**
   * Ends the process at once. Promises that it waits for never settle, so its code stops where it is. Its timers do not
   * fire. Other hosts are not told.
   */
  crash(options?: CrashOptions): void
  /** Publishes any bytes in the name of this host, as a hostile host does. Returns the number of receivers. */
  inject(topic: string, payload: Uint8Array): number
}

interface Write {
  readonly at: number
  readonly cid: CID
}

export interface HostParts {
  readonly seed: string | number
  readonly node: Node
  readonly medium: Medium
  readonly network: SimulatedNetwork
  readonly capabilities: Capabilities
  readonly epoch: number
  readonly syncDelay: number
}

interface Life {
  readonly process: SimulatedProcess
  over: boolean
}

export class Host implements SimulatedHost {
  readonly id: string
  readonly store: MemoryStore = createMemoryStore()
  readonly disk: Map<string, unknown> = new Map()
  readonly identity: SimulatedIdentity
  readonly #parts: HostParts
  #boots = 0
  #life: Life | undefined
  /** The latest writes, the oldest first. */
  #writes: Write[] = []

  constructor(parts: HostParts) {
    this.#parts = parts
    this.id = parts.node.id
    this.identity = simulatedIdentity(`${parts.seed}/${this.id}`)
  }

  get up(): boolean {
    return this.#life !== undefined
  }

  get slowness(): number {
    return this.#parts.node.slowness
  }

  set slowness(factor: number) {
    if (!(factor >= 0 && factor < Infinity))
      throw failure('INVALID_ARGUMENT', 'slowness', `slowness is a factor from 0, not ${factor}`)
    this.#parts.node.slowness = factor
  }

  get lies(): Lies {
    return this.#parts.node.lies
  }

  set lies(lies: Lies) {
    this.#parts.node.lies = lies
  }

  get skew(): number {
    return this.#parts.node.skew
  }

  set skew(ms: number) {
    if (!Number.isFinite(ms))
      throw failure('INVALID_ARGUMENT', 'skew', `skew is a finite number of milliseconds, not ${ms}`)
    this.#parts.node.skew = ms
  }

  get traffic(): Traffic {
    return { ...this.#parts.node.traffic }
  }

  boot(): SimulatedProcess {
    const { node, network, medium, capabilities, epoch, seed } = this.#parts
    if (node.endpoint !== undefined && node.endpoint !== node.resident)
      throw failure('LOCKED', 'boot', `a process runs on the host "${this.id}": crash it, or stop its backend first`)
    const random = createRandom(`${seed}/${this.id}/${++this.#boots}`)
    const backend = createBackend({ id: this.id, network, store: this.store, disk: this.disk, capabilities })
    const life: Life = {
      over: false,
      process: {
        backend: freezable(() => life.over)(backend),
        identity: this.identity,
        environment: {
          clock: createClock({ medium, epoch, skew: () => node.skew, start: medium.now, dead: () => life.over }),
          random,
          cryptography: {
            verify: (publicKey, bytes, signature) => {
              node.traffic.checks++
              return simulatedCryptography.verify(publicKey, bytes, signature)
            }
          }
        }
      }
    }
    this.#life = life
    return life.process
  }

  crash({ unsynced = 'kept' }: CrashOptions = {}): void {
    if (this.#life === undefined) return
    this.#life.over = true
    this.#life = undefined
    this.store.close()
    this.#parts.network.crash(this.#parts.node)
    if (unsynced === 'lost') this.#loseUnsynced()
    this.#writes = []
  }

  inject(topic: string, payload: Uint8Array): number {
    const { network, node } = this.#parts
    return node.endpoint === undefined ? 0 : network.topics.publish(node, topic, payload.slice())
  }

  /** Called when the store has received a block. */
  wrote(cid: CID): void {
    const { medium, syncDelay } = this.#parts
    this.#writes.push({ at: medium.now, cid })
    // Waiting until the list is twice as long as needed keeps the cost per write constant.
    if (this.#writes.length < 1024 || (this.#writes[this.#writes.length >> 1] as Write).at > medium.now - syncDelay)
      return
    this.#writes = this.#writes.filter((write) => write.at > medium.now - syncDelay)
  }

  #loseUnsynced(): void {
    const { medium, network, node, syncDelay } = this.#parts
    for (const { at, cid } of this.#writes) {
      const key = blockKey(cid)
      if (at > medium.now - syncDelay && this.store.blocks.delete(key)) network.exchange.removed(node, key)
    }
    // A pin is written after its blocks, so it cannot outlive them.
    for (const [name, pin] of this.store.pins)
      if ([...pin.keys].some((key) => !this.store.blocks.has(key))) this.store.pins.delete(name)
  }
}

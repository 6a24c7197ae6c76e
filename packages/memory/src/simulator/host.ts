import type { Backend, Clock } from '@p2pl/core/backend'
import { createBackend } from '../backend.ts'
import type { FullCapabilities } from '../capabilities.ts'
import { failure } from '../errors.ts'
import { createMemoryStore } from '../store.ts'
import type { MemoryStore } from '../store.ts'
import { freezable } from './freeze.ts'
import { simulatedCryptography, simulatedIdentity } from './identity.ts'
import type { SimulatedCryptography, SimulatedIdentity } from './identity.ts'
import type { Lies, Medium, Node } from './medium.ts'
import type { SimulatedNetwork } from './network.ts'
import { createRandom } from './random.ts'
import type { Random } from './random.ts'

/** What runs on a host from one boot to its end; hand it to `createPeer` as it is. */
export interface SimulatedProcess {
  readonly backend: Backend
  /** Its timers die when the host crashes. */
  readonly clock: Clock
  readonly random: Random
  readonly identity: SimulatedIdentity
  readonly cryptography: SimulatedCryptography
}

export interface CrashOptions {
  /** `lost`: the power failed, and blocks that were put within the last `syncDelay` are gone. Default `kept`. */
  readonly unsynced?: 'kept' | 'lost' | undefined
}

/** A machine of the simulated network. Its store, its disk and its identity survive a crash; nothing else does. */
export interface SimulatedHost {
  readonly id: string
  /** Blocks, pins and provided keys. */
  readonly store: MemoryStore
  /** Whatever else the code under test keeps on disk: an in-memory database object, for instance. */
  readonly disk: Map<string, unknown>
  readonly identity: SimulatedIdentity
  /** Whether a process has been booted and not crashed. */
  readonly up: boolean
  /** Multiplies every latency from and to it, at least 0. Default 1. */
  slowness: number
  lies: Lies
  /** A new process; the backend is not started yet. The one before has crashed, or its backend has stopped. */
  boot(): SimulatedProcess
  /**
   * Ends the process at once. Nothing that it waits for is ever settled, so its code stands still for good; its timers do
   * not fire. Others are not told.
   */
  crash(options?: CrashOptions): void
  /** Publishes whatever bytes in the name of this host, as a hostile one does; to how many. */
  inject(topic: string, payload: Uint8Array): number
}

interface Write {
  readonly at: number
  readonly key: string
}

export interface HostParts {
  readonly seed: string | number
  readonly node: Node
  readonly medium: Medium
  readonly network: SimulatedNetwork
  readonly capabilities: FullCapabilities
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
  /** Blocks that came in lately, the oldest first. */
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

  boot(): SimulatedProcess {
    const { node, network, medium, capabilities, epoch, seed } = this.#parts
    if (node.member !== undefined)
      throw failure('LOCKED', 'boot', `a process runs on the host "${this.id}": crash it, or stop its backend first`)
    const random = createRandom(`${seed}/${this.id}/${++this.#boots}`)
    const backend = createBackend({ id: this.id, engine: network, store: this.store, capabilities })
    const life: Life = {
      over: false,
      process: {
        backend: freezable(backend, () => life.over),
        clock: createClock(medium, epoch, () => life.over),
        random,
        identity: this.identity,
        cryptography: simulatedCryptography
      }
    }
    this.#life = life
    return life.process
  }

  crash({ unsynced = 'kept' }: CrashOptions = {}): void {
    if (this.#life === undefined) return
    this.#life.over = true
    this.#life = undefined
    this.store.user = undefined
    this.#parts.network.crash(this.#parts.node)
    if (unsynced === 'lost') this.#loseUnsynced()
    this.#writes = []
  }

  inject(topic: string, payload: Uint8Array): number {
    const { network, node } = this.#parts
    return node.member === undefined ? 0 : network.publish(node.member, topic, payload.slice())
  }

  /** The store has got a block. */
  wrote(key: string): void {
    const { medium, syncDelay } = this.#parts
    this.#writes.push({ at: medium.now, key })
    // Twice the room keeps the cost per write constant.
    if (this.#writes.length < 1024 || (this.#writes[this.#writes.length >> 1] as Write).at > medium.now - syncDelay)
      return
    this.#writes = this.#writes.filter((write) => write.at > medium.now - syncDelay)
  }

  #loseUnsynced(): void {
    const { medium, network, node, syncDelay } = this.#parts
    for (const { at, key } of this.#writes) {
      if (at <= medium.now - syncDelay || !this.store.blocks.delete(key)) continue
      network.lost(node, key)
    }
    // A pin is written after its blocks: it cannot have outlived them.
    for (const [name, pin] of this.store.pins)
      if ([...pin.keys].some((key) => !this.store.blocks.has(key))) this.store.pins.delete(name)
  }
}

/** Virtual time; `dead` says whether timers still fire. */
export function createClock(medium: Medium, epoch: number, dead: () => boolean): Clock {
  return {
    now: () => epoch + medium.now,
    setTimeout: (callback, ms) =>
      medium.after(ms > 0 ? ms : 0, () => {
        if (dead()) return false
        callback()
        return true
      }),
    clearTimeout: (timer) => {
      if (timer !== undefined && timer !== null) medium.queue.cancel(timer as ReturnType<Medium['after']>)
    }
  }
}

import {
  throwIfAborted,
  type AbortOptions,
  type Backend,
  type BackendEvent,
  type PeerInfo,
  type StartOptions
} from '@p2pl/core/backend'
import { Blocks, type BlockParts } from './blocks.ts'
import { capabilitiesOf } from './capabilities.ts'
import { Door, untilAborted } from './door.ts'
import { startEngine, type Engine, type MemoryIds } from './engine/engine.ts'
import { backendName, classify, notRunning } from './errors.ts'
import { Fetcher } from './exchange/fetcher.ts'
import { Messages } from './messages.ts'
import { resolveOptions, type BittorrentOptions, type Settings } from './options.ts'
import { BittorrentRouting } from './routing.ts'
import { Pins } from './store/pins.ts'

/** What one start brings up. */
interface Running extends BlockParts {
  readonly engine: Engine
}

/**
 * A participant on BitTorrent, embedded in the process. The object is not started. Throws `INVALID_ARGUMENT` when an option
 * is wrong.
 */
export function bittorrent(options?: BittorrentOptions): Backend {
  return new BittorrentBackend(resolveOptions(options))
}

class BittorrentBackend implements Backend {
  readonly name: string = backendName
  readonly capabilities: Backend['capabilities']
  readonly messages: Messages
  readonly blocks: Blocks
  readonly routing: BittorrentRouting
  readonly #settings: Settings
  readonly #door = new Door()
  readonly #memory: MemoryIds = {}
  #running: Running | undefined
  #starting: Promise<void> | undefined
  #stopping: Promise<void> | undefined

  constructor(settings: Settings) {
    this.#settings = settings
    this.capabilities = capabilitiesOf(settings)
    this.messages = new Messages(this.#door)
    this.blocks = new Blocks(this.#door, () => this.#parts())
    this.routing = new BittorrentRouting(this.#door, () => {})
  }

  async start(options?: StartOptions): Promise<void> {
    throwIfAborted('start', options?.signal, backendName)
    await this.#stopping
    if (this.#running !== undefined) return
    this.#starting ??= this.#start(options?.onEvent).finally(() => {
      this.#starting = undefined
    })
    const { signal } = options ?? {}
    if (signal === undefined) {
      await this.#starting
      return
    }
    try {
      await untilAborted(this.#starting, signal)
    } catch (error) {
      // What was begun for this caller must not go on without it.
      if (signal.aborted) await this.stop()
      throw classify('start', error, signal)
    }
  }

  async stop(_options?: AbortOptions): Promise<void> {
    this.#stopping ??= this.#stop().finally(() => {
      this.#stopping = undefined
    })
    await this.#stopping
  }

  self(): PeerInfo {
    return this.#door.enter('self').self()
  }

  #parts(): BlockParts {
    if (this.#running === undefined) throw notRunning('blocks')
    return this.#running
  }

  async #start(onEvent: ((event: BackendEvent) => void) | undefined): Promise<void> {
    const engine = await startEngine(this.#settings, this.#memory, onEvent ?? (() => {}))
    this.#running = { engine, fetcher: new Fetcher(engine), pins: new Pins(engine.stores.pins) }
    this.#door.open(engine)
  }

  async #stop(): Promise<void> {
    // A start that is under way is awaited, whatever it comes to: its parts are released below.
    await this.#starting?.catch(() => {})
    const running = this.#running
    if (running === undefined) return
    this.#running = undefined
    this.#door.close()
    await running.engine.stop()
  }
}

import {
  throwIfAborted,
  type AbortOptions,
  type Backend,
  type BackendEvent,
  type PeerInfo,
  type StartOptions
} from '@p2pl/core/backend'
import * as dagPb from '@ipld/dag-pb'
import type { CID } from 'multiformats/cid'
import { Blocks, type BlockParts } from './blocks.ts'
import { capabilitiesOf } from './capabilities.ts'
import { Door, untilAborted } from './door.ts'
import { startEngine, type Engine, type MemoryIds } from './engine/engine.ts'
import { backendName, classify, failure, notRunning } from './errors.ts'
import { Fetcher } from './exchange/fetcher.ts'
import { checkBlockCid } from './hashes.ts'
import { Messages } from './messages.ts'
import { resolveOptions, type BittorrentOptions, type Settings } from './options.ts'
import { BittorrentRouting } from './routing.ts'
import { Pins } from './store/pins.ts'
import { importTorrent } from './torrent/import.ts'
import { formatMagnet } from './torrent/info.ts'
import type { ImportOptions, ImportResult } from './torrent/types.ts'

/** For hashing a file that is provided. */
const seedLimit = 3_600_000

/** What this backend can do beyond the port. */
export interface BittorrentBackend extends Backend {
  /**
   * A magnet link of the file, for any BitTorrent client. The file must be stored here; it is seeded from now on, as all files
   * of more than one block are that are provided. `NOT_FOUND` when its root is not stored here, `UNSUPPORTED` when a part of it
   * is missing, and when it is empty, no file, or not laid out in raw leaves of 1 MiB.
   */
  magnet(cid: CID, options?: AbortOptions): Promise<string>
  /**
   * Downloads the one file of a torrent, from a magnet link or the bytes of a `.torrent` file, and stores it as blocks. Looks
   * for others who have it until the signal fires. The result is not pinned, and what was fetched before a failure stays until
   * the next `gc`.
   */
  importTorrent(source: string | Uint8Array, options?: ImportOptions): Promise<ImportResult>
}

/** What one start brings up. */
interface Running extends BlockParts {
  readonly engine: Engine
}

/**
 * A participant on BitTorrent, embedded in the process. The object is not started. Throws `INVALID_ARGUMENT` when an option
 * is wrong.
 */
export function bittorrent(options?: BittorrentOptions): BittorrentBackend {
  return new Participant(resolveOptions(options))
}

class Participant implements BittorrentBackend {
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
    this.routing = new BittorrentRouting(this.#door, (engine, cid) => this.#seed(engine, cid))
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

  async magnet(cid: CID, options?: AbortOptions): Promise<string> {
    const operation = 'magnet'
    return await this.#door.call(operation, options, async (engine, signal) => {
      const root = checkBlockCid(operation, cid)
      if (!(await engine.stores.blocks.has(root.multihash.bytes)))
        throw failure({ code: 'NOT_FOUND', operation, message: `${root.toString()} is not stored here: get it first` })
      const info = await engine.torrents.seed(root, signal)
      if (info === undefined)
        throw failure({
          code: 'UNSUPPORTED',
          operation,
          message: `${root.toString()} is not a file of raw leaves of 1 MiB that is wholly stored here`
        })
      return formatMagnet(info, engine.addresses(), engine.settings.trackers)
    })
  }

  async importTorrent(source: string | Uint8Array, options?: ImportOptions): Promise<ImportResult> {
    return await this.#door.call('importTorrent', options, (engine, signal) =>
      importTorrent(
        engine,
        source,
        options?.onProgress,
        signal,
        async (block) => await this.blocks.put(block, { signal })
      )
    )
  }

  /** In the background: hashing a large file takes a while, and the record is there already. */
  #seed(engine: Engine, cid: CID): void {
    if (cid.code !== dagPb.code) return
    engine.torrents.seed(cid, AbortSignal.timeout(seedLimit)).catch(() => {})
  }

  #parts(): BlockParts {
    if (this.#running === undefined) throw notRunning('blocks')
    return this.#running
  }

  async #start(onEvent: ((event: BackendEvent) => void) | undefined): Promise<void> {
    const engine = await startEngine(this.#settings, this.#memory, onEvent ?? (() => {}))
    this.#running = {
      engine,
      fetcher: new Fetcher(engine, (block) => this.blocks.put(block)),
      pins: new Pins(engine.stores.pins)
    }
    this.#door.open(engine)
  }

  async #stop(): Promise<void> {
    // At once: what is called in the same turn comes too late.
    this.#door.close()
    // A start that is under way is awaited, whatever it comes to: its parts are released below.
    await this.#starting?.catch(() => {})
    const running = this.#running
    if (running === undefined) return
    this.#running = undefined
    this.#door.close()
    await running.engine.stop()
  }
}

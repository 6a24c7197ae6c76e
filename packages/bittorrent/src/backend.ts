import type { AbortOptions, Backend, PeerInfo, StartOptions } from '@p2pl/core/backend'
import { Blocks, checkBlockCid, Door, Lifecycle } from '@p2pl/embedded'
import * as dagPb from '@ipld/dag-pb'
import type { CID } from 'multiformats/cid'
import { capabilitiesOf } from './capabilities.ts'
import { maxBlockBytes, startEngine, type Engine, type MemoryIds } from './engine/engine.ts'
import { backendName, failure, failures, notRunning } from './errors.ts'
import { Fetcher } from './exchange/fetcher.ts'
import { hashCodes } from './hashes.ts'
import { Messages } from './messages.ts'
import { resolveOptions, type BittorrentOptions, type Settings } from './options.ts'
import { BittorrentRouting } from './routing.ts'
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
interface Running {
  readonly engine: Engine
  readonly fetcher: Fetcher
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
  readonly blocks: Blocks<Engine>
  readonly routing: BittorrentRouting
  readonly #door = new Door<Engine>(failures)
  readonly #lifecycle: Lifecycle<Running>

  constructor(settings: Settings) {
    const memory: MemoryIds = {}
    this.capabilities = capabilitiesOf(settings)
    this.#lifecycle = new Lifecycle<Running>(failures, {
      begin: async (onEvent) => {
        const engine = await startEngine(settings, memory, onEvent ?? (() => {}))
        this.#door.open(engine)
        return { engine, fetcher: new Fetcher(engine) }
      },
      end: async ({ engine }) => {
        this.#door.close()
        await engine.stop()
      }
    })
    this.messages = new Messages(this.#door)
    this.blocks = new Blocks(this.#door, {
      maxBlockBytes,
      hashes: hashCodes,
      fetch: async (_engine, cid, options, signal) => {
        const { running } = this.#lifecycle
        if (running === undefined) throw notRunning('blocks.get')
        return await running.fetcher.fetch(cid, options?.providers, options?.root, signal)
      },
      stored: ({ server, client }, blocks) => {
        server.stored(blocks.map(({ cid }) => cid.multihash.bytes))
        for (const { cid, bytes } of blocks) client.resolve(cid.multihash.bytes, bytes)
      }
    })
    this.routing = new BittorrentRouting(this.#door, (engine, cid) => this.#seed(engine, cid))
  }

  async start(options?: StartOptions): Promise<void> {
    await this.#lifecycle.start(options)
  }

  async stop(options?: AbortOptions): Promise<void> {
    await this.#lifecycle.stop(options)
  }

  self(): PeerInfo {
    return this.#door.enter('self').self()
  }

  async magnet(cid: CID, options?: AbortOptions): Promise<string> {
    const operation = 'magnet'
    return await this.#door.call(operation, options, async (engine, signal) => {
      const root = checkBlockCid(failures, operation, cid, hashCodes)
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
}

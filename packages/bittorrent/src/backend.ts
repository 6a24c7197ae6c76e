import * as dagPb from '@ipld/dag-pb'
import type { AbortOptions, Backend, PeerInfo, StartOptions } from '@p2pl/core/backend'
import { checkBlockCid, Door, Lifecycle, type Blocks } from '@p2pl/embedded'
import type { CID } from 'multiformats/cid'
import { blocksOf } from './blocks.ts'
import { capabilitiesOf } from './capabilities.ts'
import { startEngine, type Engine } from './engine.ts'
import { backendName, failure, failures } from './errors.ts'
import type { Memory } from './identities.ts'
import { Messages } from './messages.ts'
import type { BittorrentOptions } from './options.ts'
import { formatPublisher, parsePublisher } from './peers.ts'
import { BittorrentRouting } from './routing.ts'
import { resolveOptions, type Settings } from './settings.ts'
import { formatAddress } from './tools/address.ts'
import { hexOf } from './tools/bytes.ts'
import { hashCodes } from './tools/hashes.ts'
import type { ImportOptions, ImportResult } from './torrent/import/types.ts'
import { formatMagnet } from './torrent/metainfo/magnet.ts'

/** For hashing a file that is provided. */
const seedTimeout = 3_600_000
const maxSelfAddresses = 16

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
   * for peers that seed it until the signal fires. The result is not pinned. An import that was broken off goes on where it
   * stood, also after a restart with `dir`, and nothing is fetched that is stored here. `INVALID_ARGUMENT` when the source is
   * not a torrent, `UNSUPPORTED` when it is one that cannot be taken in: of several files, or of BitTorrent v2 only.
   */
  importTorrent(source: string | Uint8Array, options?: ImportOptions): Promise<ImportResult>
  /**
   * The key with which this peer says in the DHT which torrents its files are (BEP 44, BEP 46): `urn:btpk:` and 64 hexadecimal
   * digits. Stays the same with `dir`. Throws `NOT_RUNNING` before `start`.
   */
  publisher(): string
  /**
   * A magnet link of the torrent that the publisher, given as its key, says to be the file; for `importTorrent`, or any
   * client. The publisher need not be there any more. `NOT_FOUND` when nobody who can be asked knows of it.
   */
  findTorrent(cid: CID, publisher: string, options?: AbortOptions): Promise<string>
}

/**
 * A peer on BitTorrent, embedded in the process. The object is not started. Throws `INVALID_ARGUMENT` when an option is wrong.
 */
export function bittorrent(options?: BittorrentOptions): BittorrentBackend {
  return new EmbeddedPeer(resolveOptions(options))
}

class EmbeddedPeer implements BittorrentBackend {
  readonly name: string = backendName
  readonly capabilities: Backend['capabilities']
  readonly messages: Messages
  readonly blocks: Blocks<Engine>
  readonly routing: BittorrentRouting
  readonly #door = new Door<Engine>(failures)
  readonly #lifecycle: Lifecycle<Engine>

  constructor(settings: Settings) {
    const memory: Memory = {}
    this.capabilities = capabilitiesOf(settings)
    this.#lifecycle = new Lifecycle<Engine>(failures, {
      begin: async (onEvent) => {
        const engine = await startEngine(settings, memory, (block) => this.blocks.put(block), onEvent ?? (() => {}))
        this.#door.open(engine)
        return engine
      },
      end: async (engine) => {
        this.#door.close()
        await engine.stop()
      }
    })
    this.messages = new Messages(this.#door)
    this.blocks = blocksOf(this.#door)
    this.routing = new BittorrentRouting(this.#door, (engine, cid) => seed(engine, cid))
  }

  async start(options?: StartOptions): Promise<void> {
    await this.#lifecycle.start(options)
  }

  async stop(options?: AbortOptions): Promise<void> {
    await this.#lifecycle.stop(options)
  }

  self(): PeerInfo {
    const { id, overlay } = this.#door.enter('self')
    return { id, addresses: overlay.addresses().slice(0, maxSelfAddresses).map(formatAddress) }
  }

  async magnet(cid: CID, options?: AbortOptions): Promise<string> {
    const operation = 'magnet'
    return await this.#door.call(operation, options, async ({ settings, stores, overlay, torrents }, signal) => {
      const root = checkBlockCid(failures, operation, cid, hashCodes)
      if (!(await stores.blocks.has(root.multihash.bytes)))
        throw failure({ code: 'NOT_FOUND', operation, message: `${root.toString()} is not stored here: get it first` })
      const info = await torrents.seeds.add(root, signal)
      if (info !== undefined) return formatMagnet(info, overlay.addresses(), settings.trackers)
      throw failure({
        code: 'UNSUPPORTED',
        operation,
        message: `${root.toString()} is not a file of raw leaves of 1 MiB that is wholly stored here`
      })
    })
  }

  async importTorrent(source: string | Uint8Array, options?: ImportOptions): Promise<ImportResult> {
    return await this.#door.call('importTorrent', options, ({ torrents }, signal) =>
      torrents.imports.import(source, options?.onProgress, signal)
    )
  }

  publisher(): string {
    return formatPublisher(this.#door.enter('publisher').torrents.publications.publicKey)
  }

  async findTorrent(cid: CID, publisher: string, options?: AbortOptions): Promise<string> {
    const operation = 'findTorrent'
    return await this.#door.call(operation, options, async ({ torrents: { publications } }, signal) => {
      const root = checkBlockCid(failures, operation, cid, hashCodes)
      const key = parsePublisher(publisher)
      if (key === undefined)
        throw failure({
          code: 'INVALID_ARGUMENT',
          operation,
          message: 'a publisher is given as urn:btpk: and 64 hexadecimal digits'
        })
      const infoHash = await publications.find(key, root.multihash.bytes, signal)
      if (infoHash !== undefined) return `magnet:?xt=urn:btih:${hexOf(infoHash)}`
      throw failure({
        code: 'NOT_FOUND',
        operation,
        message: `nobody who can be asked knows a torrent of ${root.toString()} by ${publisher}`
      })
    })
  }
}

/** In the background: hashing a large file takes a while, and the record is there already. */
function seed({ torrents }: Engine, cid: CID): void {
  if (cid.code !== dagPb.code) return
  torrents.seeds.add(cid, AbortSignal.timeout(seedTimeout)).catch(() => {})
}

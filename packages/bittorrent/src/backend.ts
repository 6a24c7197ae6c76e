import {
  defineBackend,
  type AbortOptions,
  type BlockTransport,
  type DefinedBackend,
  type MessageTransport,
  type RoutingTransport
} from '@p2pl/core/backend'
import type { CID } from 'multiformats/cid'
import { capabilitiesOf } from './capabilities.ts'
import { Engine } from './engine.ts'
import { backendName, classify } from './errors.ts'
import { identityIn, newIdentity, secretStore } from './identities.ts'
import { Messages } from './messages.ts'
import type { BittorrentOptions } from './options.ts'
import { network } from './peers.ts'
import { routingHooks } from './routing.ts'
import { resolveOptions } from './settings.ts'
import { openStores } from './stores.ts'
import { formatAddress } from './tools/address.ts'
import type { ImportOptions, ImportResult } from './torrent/import/types.ts'
import { torrentCalls } from './torrents.ts'

const maxSelfAddresses = 16

/** What this backend can do beyond the port. */
export interface TorrentBackend {
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
   * not a torrent, `UNSUPPORTED` when it is one that cannot be taken in, such as one of several files or of BitTorrent v2 only.
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

/** A backend that has all three parts of the port, and calls for torrents. */
export interface BittorrentBackend extends DefinedBackend<Engine>, TorrentBackend {
  readonly messages: MessageTransport
  readonly blocks: BlockTransport
  readonly routing: RoutingTransport
}

/** A peer on BitTorrent, embedded in the process. It is not started. Throws `INVALID_ARGUMENT` when an option is wrong. */
export function bittorrent(options?: BittorrentOptions): BittorrentBackend {
  const settings = resolveOptions(options)
  const inMemory = settings.dir === undefined ? newIdentity() : undefined
  const backend = defineBackend<Engine>({
    name: backendName,
    network,
    capabilities: capabilitiesOf(settings),
    classify,
    open: async ({ signal, report }) => {
      const stores = await openStores(settings, report)
      let engine: Engine | undefined
      try {
        const identity = inMemory ?? (await identityIn(stores.state))
        signal.throwIfAborted()
        engine = new Engine({ settings, stores, identity, report, life: signal })
        await engine.start()
      } catch (error) {
        await (engine ?? { stop: () => stores.close() }).stop()
        throw error
      }
      const { id, gate, overlay, provided, blocks, torrents } = engine
      const { links, dialler, wanted, rendezvous, queries, gossip, topics } = overlay
      return {
        self: () => ({ id, addresses: overlay.addresses().slice(0, maxSelfAddresses).map(formatAddress) }),
        messages: new Messages(gossip, topics),
        blocks,
        routing: routingHooks({
          gate,
          links,
          dialler,
          wanted,
          rendezvous,
          queries,
          provided,
          torrents,
          peers: settings.peers
        }),
        secrets: settings.dir === undefined ? undefined : secretStore(stores.state),
        engine,
        close: () => engine.stop()
      }
    }
  })
  return Object.assign(
    backend,
    torrentCalls(() => backend.engine, settings)
  ) as BittorrentBackend
}

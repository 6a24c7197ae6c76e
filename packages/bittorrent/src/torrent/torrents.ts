import type { Socket } from 'node:net'
import type { Block } from '@p2pl/core/backend'
import type { Table } from '@p2pl/embedded'
import type { CID } from 'multiformats/cid'
import type { Queries } from '../overlay/exchange/queries.ts'
import type { Identity } from '../overlay/identity.ts'
import type { Dialler } from '../overlay/links/dialler.ts'
import type { Links } from '../overlay/links/links.ts'
import type { Dht } from '../overlay/rendezvous/dht.ts'
import { Publisher } from '../overlay/rendezvous/publisher.ts'
import type { Rendezvous } from '../overlay/rendezvous/rendezvous.ts'
import type { ProfileGate } from '@p2pl/embedded'
import { Imports } from './import/imports.ts'
import { ImportRecords } from './import/records.ts'
import { LeafReader } from './layout/leaf-reader.ts'
import { LeafSessions } from './leaf-sessions.ts'
import { Publications } from './publications.ts'
import { Seeds } from './seeds.ts'
import { TorrentClient } from './swarm/torrent-client.ts'
import { Swarms } from './swarms.ts'

export interface TorrentsInit {
  readonly identity: Identity
  readonly gate: ProfileGate
  readonly links: Links
  readonly dialler: Dialler
  readonly queries: Queries
  readonly rendezvous: Rendezvous
  readonly dht: Dht | undefined
  readonly maxConnections: number
  readonly tables: { readonly torrents: Table; readonly imports: Table }
  readonly load: (cid: CID) => Promise<Uint8Array | undefined>
  readonly has: (cid: CID) => Promise<boolean>
  readonly put: (block: Block) => Promise<void>
}

/**
 * Files as ordinary BitTorrent v1 torrents: provided files are seeded, others are fetched from the peers that seed
 * them.
 */
export class Torrents {
  readonly publications: Publications
  readonly seeds: Seeds
  readonly sessions: LeafSessions
  readonly imports: Imports
  readonly #swarms: Swarms

  constructor(init: TorrentsInit) {
    const { identity, tables, load } = init
    const reader = new LeafReader(load)
    this.publications = new Publications(init.dht, new Publisher(identity.key))
    this.seeds = new Seeds({ ...init, table: tables.torrents, publications: this.publications })
    const client = new TorrentClient(identity.peerId, init.maxConnections)
    this.#swarms = new Swarms({ ...init, client, seeds: this.seeds, reader })
    const shared = { ...init, swarms: this.#swarms, reader }
    this.sessions = new LeafSessions({ ...shared, publications: this.publications })
    this.imports = new Imports({ ...shared, seeds: this.seeds, records: new ImportRecords(tables.imports) })
  }

  async start(): Promise<void> {
    await this.seeds.start()
  }

  async stop(): Promise<void> {
    this.publications.stop()
    this.sessions.stop()
    await this.#swarms.stop()
  }

  /** Offers an incoming socket whose handshake has this infohash. Returns whether it was taken. */
  adopt(infoHash: string, socket: Socket): boolean {
    return this.#swarms.adopt(infoHash, socket)
  }

  /** Stops seeding a file. */
  async unseed(multihash: Uint8Array): Promise<void> {
    const infoHash = await this.seeds.remove(multihash)
    if (infoHash !== undefined) await this.#swarms.drop(infoHash)
  }
}

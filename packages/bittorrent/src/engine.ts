import type { EngineEvent } from '@p2pl/core/backend'
import { ProfileGate, type StoredBlocks } from '@p2pl/embedded'
import { blockHooks } from './blocks.ts'
import { maxBlockBytes } from './capabilities.ts'
import type { Identity } from './overlay/identity.ts'
import { Overlay } from './overlay/overlay.ts'
import { Provided } from './provided.ts'
import type { Settings } from './settings.ts'
import type { Stores } from './stores.ts'
import { hexOf } from './tools/bytes.ts'
import { Torrents } from './torrent/torrents.ts'

export interface EngineInit {
  readonly settings: Settings
  readonly stores: Stores
  readonly identity: Identity
  readonly report: (event: EngineEvent) => void
  /** Fires when the backend stops. */
  readonly life: AbortSignal
}

/** Stores, overlay and torrents, put together. Each part is handed what it needs, and never this. */
export class Engine {
  readonly id: string
  readonly life: AbortSignal
  readonly stores: Stores
  readonly gate: ProfileGate
  readonly overlay: Overlay
  readonly provided: Provided
  readonly blocks: StoredBlocks
  readonly torrents: Torrents

  constructor({ settings, stores, identity, report, life }: EngineInit) {
    this.id = identity.id
    this.stores = stores
    this.life = life
    this.gate = new ProfileGate(settings.profile)
    for (const host of namedHosts(settings)) this.gate.allow(host)
    const load = (multihash: Uint8Array): Promise<Uint8Array | undefined> => stores.blocks.getSound(multihash)
    this.overlay = new Overlay({
      options: { ...settings, wide: settings.profile === 'public' },
      identity,
      gate: this.gate,
      maxBlockBytes,
      load,
      answers: {
        provides: (key) => this.provided.has(hexOf(key)),
        torrent: (multihash) => this.torrents.seeds.infoHashOf(multihash)
      },
      adopt: (infoHash, socket) => this.torrents.adopt(infoHash, socket)
    })
    const { links, dialler, rendezvous, queries, dht, client, server } = this.overlay
    const sessions = (): Torrents['sessions'] => this.torrents.sessions
    this.provided = new Provided(stores.provided, rendezvous)
    this.blocks = blockHooks({ stores, client, server, links, dialler, rendezvous, sessions })
    this.torrents = new Torrents({
      identity,
      gate: this.gate,
      links,
      dialler,
      queries,
      rendezvous,
      dht,
      maxConnections: settings.maxConnections,
      tables: stores,
      load: (cid) => load(cid.multihash.bytes),
      has: (cid) => stores.blocks.has(cid.multihash.bytes),
      put: async (block) => await this.blocks.putMany([block])
    })
    links.tell({
      opened: ({ id }) => report({ type: 'peer:connect', id }),
      closed: ({ id }, replaced) => replaced || report({ type: 'peer:disconnect', id })
    })
  }

  async start(): Promise<void> {
    await this.overlay.start()
    await this.provided.start()
    await this.torrents.start()
  }

  async stop(): Promise<void> {
    // Each part is released even when another one fails to.
    await Promise.allSettled([this.torrents.stop(), this.overlay.stop()])
    await this.stores.close()
  }
}

/** Hosts that the user has named: the profile does not keep them out. */
function namedHosts({ bootstrap, peers, trackers }: Settings): string[] {
  return [...bootstrap, ...peers].map(({ host }) => host).concat(trackers.map(({ hostname }) => hostname))
}

import type { Block, EngineEvent } from '@p2pl/core/backend'
import { ProfileGate, type Profile } from '@p2pl/embedded'
import type { Identity } from '../overlay/identity.ts'
import { Overlay, type OverlayOptions } from '../overlay/overlay.ts'
import { Provided } from './provided.ts'
import type { Stores } from './stores.ts'
import type { Address } from '../tools/address.ts'
import { hexOf } from '../tools/bytes.ts'
import { Torrents } from '../torrent/torrents.ts'

export interface EngineOptions extends Omit<OverlayOptions, 'wide'> {
  readonly profile: Profile
  /** Peers named by the user. */
  readonly peers: readonly Address[]
}

export interface EngineInit {
  readonly options: EngineOptions
  readonly stores: Stores
  readonly identity: Identity
  /** Stores a block that arrived through a torrent. */
  readonly put: (block: Block) => Promise<void>
  readonly report: (event: EngineEvent) => void
  /** Fires when the backend stops. */
  readonly life: AbortSignal
}

/** Connects stores, overlay and torrents. Each part receives only what it needs, never the whole engine. */
export class Engine {
  readonly id: string
  readonly life: AbortSignal
  readonly stores: Stores
  readonly gate: ProfileGate
  readonly overlay: Overlay
  readonly provided: Provided
  readonly torrents: Torrents

  constructor({ options, stores, identity, put, report, life }: EngineInit) {
    this.id = identity.id
    this.stores = stores
    this.life = life
    this.gate = new ProfileGate(options.profile)
    for (const host of namedHosts(options)) this.gate.allow(host)
    const load = (multihash: Uint8Array): Promise<Uint8Array | undefined> => stores.blocks.getSound(multihash)
    this.overlay = new Overlay({
      options: { ...options, wide: options.profile === 'public' },
      identity,
      gate: this.gate,
      load,
      answers: {
        provides: (key) => this.provided.has(hexOf(key)),
        torrent: (multihash) => this.torrents.seeds.infoHashOf(multihash)
      },
      adopt: (infoHash, socket) => this.torrents.adopt(infoHash, socket)
    })
    const { links, dialler, rendezvous, queries, dht } = this.overlay
    this.provided = new Provided(stores.provided, rendezvous)
    this.torrents = new Torrents({
      identity,
      gate: this.gate,
      links,
      dialler,
      queries,
      rendezvous,
      dht,
      maxConnections: options.maxConnections,
      tables: stores,
      load: (cid) => load(cid.multihash.bytes),
      has: (cid) => stores.blocks.has(cid.multihash.bytes),
      put
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
    // Each part is released even if another one fails to stop.
    await Promise.allSettled([this.torrents.stop(), this.overlay.stop()])
    await this.stores.close()
  }
}

/** Hosts named by the user. The profile allows them. */
function namedHosts({ bootstrap, peers, trackers }: EngineOptions): string[] {
  return [...bootstrap, ...peers].map(({ host }) => host).concat(trackers.map(({ hostname }) => hostname))
}

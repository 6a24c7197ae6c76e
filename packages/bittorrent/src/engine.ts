import type { BackendEvent, Block } from '@p2pl/core/backend'
import { backendName, classify } from './errors.ts'
import { identityIn, newIdentity, type Memory } from './identities.ts'
import type { Identity } from './overlay/identity.ts'
import { Overlay } from './overlay/overlay.ts'
import { Provided } from './provided.ts'
import type { Settings } from './settings.ts'
import { openStores, type Stores } from './stores.ts'
import { hexOf } from './tools/bytes.ts'
import { Gate } from './tools/gate.ts'
import { Torrents } from './torrent/torrents.ts'

/** What sha2-256 leaves of 1 MiB and their inner nodes need, with room. */
export const maxBlockBytes: number = 2 * 1024 * 1024

export interface EngineInit {
  readonly settings: Settings
  readonly stores: Stores
  readonly identity: Identity
  /** Stores a block that came by a torrent. */
  readonly put: (block: Block) => Promise<void>
  readonly report: (event: BackendEvent) => void
}

/** Stores, overlay and torrents, from one `start` to the next `stop`. */
export class Engine {
  readonly id: string
  readonly settings: Settings
  readonly stores: Stores
  readonly gate: Gate
  readonly overlay: Overlay
  readonly provided: Provided
  readonly torrents: Torrents
  #silent = false

  constructor({ settings, stores, identity, put, report }: EngineInit) {
    this.id = identity.id
    this.settings = settings
    this.stores = stores
    this.gate = new Gate(settings.profile, hostsOf(settings))
    const load = (multihash: Uint8Array): Promise<Uint8Array | undefined> => stores.blocks.get(multihash)
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
    const { overlay } = this
    this.provided = new Provided(stores.provided, overlay.rendezvous)
    this.torrents = new Torrents({
      identity,
      links: overlay.links,
      dialler: overlay.dialler,
      queries: overlay.queries,
      rendezvous: overlay.rendezvous,
      dht: overlay.dht,
      gate: this.gate,
      maxConnections: settings.maxConnections,
      tables: stores,
      load: (cid) => load(cid.multihash.bytes),
      has: (cid) => stores.blocks.has(cid.multihash.bytes),
      put
    })
    overlay.links.tell({
      opened: ({ id }) => this.#report(report, { type: 'peer:connect', backend: backendName, id }),
      closed: ({ id }, replaced) => {
        if (!replaced) this.#report(report, { type: 'peer:disconnect', backend: backendName, id })
      }
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
    await Promise.allSettled([this.stores.close()])
    this.#silent = true
  }

  #report(report: (event: BackendEvent) => void, event: BackendEvent): void {
    if (!this.#silent) report(event)
  }
}

function hostsOf({ bootstrap, peers, trackers }: Settings): string[] {
  return [...bootstrap, ...peers].map(({ host }) => host).concat(trackers.map(({ hostname }) => hostname))
}

/** Opens the stores and starts every part. A failure leaves nothing open. */
export async function startEngine(
  settings: Settings,
  memory: Memory,
  put: (block: Block) => Promise<void>,
  report: (event: BackendEvent) => void
): Promise<Engine> {
  const stores = await openStores(settings)
  let engine: Engine | undefined
  try {
    const { dir } = settings
    const identity = dir === undefined ? (memory.identity ??= newIdentity()) : await identityIn(stores.state, dir)
    engine = new Engine({ settings, stores, identity, put, report })
    await engine.start()
    return engine
  } catch (error) {
    if (engine === undefined) await stores.close()
    else await engine.stop()
    throw classify('start', error)
  }
}

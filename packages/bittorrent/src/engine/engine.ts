import { randomBytes } from 'node:crypto'
import { networkInterfaces } from 'node:os'
import type { BackendEvent, PeerInfo } from '@p2pl/core/backend'
import { formatAddress, type Address } from '../address.ts'
import { concatBytes, fromText, hexOf } from '../bytes.ts'
import { backendName, classify } from '../errors.ts'
import { Client } from '../exchange/client.ts'
import { Queries } from '../exchange/queries.ts'
import { Server } from '../exchange/server.ts'
import { Gossip } from '../gossip/gossip.ts'
import { contentKey, peerKey } from '../keys.ts'
import type { Settings } from '../options.ts'
import { openStores, type Stores } from '../stores.ts'
import { Torrents } from '../torrent/torrents.ts'
import { Dht } from './dht.ts'
import { Gate } from './gate.ts'
import { Keeper } from './keeper.ts'
import type { Link } from './link.ts'
import { Links } from './links.ts'
import { Rendezvous } from './rendezvous.ts'

/** What sha2-256 leaves of 1 MiB and their inner nodes need, with room. */
export const maxBlockBytes: number = 2 * 1024 * 1024

const strikeForMalformed = 25
const maxSelfAddresses = 16
const thinningInterval = 15_000

/** The ids of one participant, kept where there is no folder. */
export interface MemoryIds {
  ids?: Ids | undefined
}

interface Ids {
  readonly peer: Uint8Array
  readonly node: Uint8Array
}

/** The running parts. Lives from one `start` to the next `stop`. */
export class Engine {
  readonly settings: Settings
  readonly stores: Stores
  readonly id: string
  readonly gate: Gate
  readonly links: Links
  readonly keeper: Keeper
  readonly dht: Dht | undefined
  readonly rendezvous: Rendezvous
  readonly gossip: Gossip
  readonly server: Server
  readonly client: Client
  readonly queries: Queries
  readonly torrents: Torrents
  /** Texts of the keys of what is provided. */
  readonly provided: Set<string> = new Set()
  readonly #onEvent: (event: BackendEvent) => void
  #silent = false
  #thinning: NodeJS.Timeout | undefined

  constructor(settings: Settings, stores: Stores, ids: Ids, onEvent: (event: BackendEvent) => void) {
    this.settings = settings
    this.stores = stores
    this.id = hexOf(ids.peer)
    this.#onEvent = (event) => {
      if (!this.#silent) onEvent(event)
    }
    this.gate = new Gate(settings.profile, hostsOf(settings))
    this.links = new Links({
      peerId: ids.peer,
      gate: this.gate,
      maxConnections: settings.maxConnections,
      adopt: (infoHash, _peerId, guarded) => this.torrents.adopt(infoHash, guarded),
      events: {
        opened: (link) => this.#opened(link),
        closed: (link, replaced) => this.#closed(link, replaced),
        frame: (link, kind, body) => this.#frame(link, kind, body),
        dhtPort: (_link, host, port) => this.dht?.addNode(host, port)
      }
    })
    this.dht = settings.dht ? new Dht(settings, this.gate, ids.node) : undefined
    this.rendezvous = new Rendezvous({
      dht: this.dht,
      trackers: settings.trackers,
      peerId: ids.peer,
      port: () => this.links.port
    })
    this.keeper = new Keeper(this.links, async (id, signal) => {
      const found: Address[] = []
      await this.rendezvous.lookup(peerKey(id), (address) => found.push(address), signal)
      return found
    })
    this.gossip = new Gossip({
      links: this.links,
      rendezvous: this.rendezvous,
      peerId: ids.peer,
      degree: settings.degree
    })
    this.server = new Server((multihash) => this.stores.blocks.get(multihash))
    this.client = new Client(() => this.links.all(), maxBlockBytes)
    this.queries = new Queries({
      provides: (key) => this.provided.has(hexOf(key)),
      torrent: (multihash) => this.torrents.infoHashOf(multihash)
    })
    this.torrents = new Torrents(this, ids.peer)
  }

  async start(): Promise<void> {
    const { settings, links, rendezvous } = this
    await links.listen(settings.host, settings.port)
    for (const address of this.addresses()) links.addOwn(address)
    if (this.dht !== undefined) links.tellDhtPort(await this.dht.listen(settings.dhtPort, settings.host))
    for (const address of settings.peers) this.keeper.keepAddress(address)
    rendezvous.keepSoon(peerKey(this.id))
    this.#thinning = setInterval(() => this.thin(), thinningInterval).unref()
    for await (const multihash of this.stores.provided.keys()) {
      const key = contentKey(multihash)
      this.provided.add(hexOf(key))
      rendezvous.keepSoon(key)
    }
    await this.torrents.start()
  }

  /**
   * Ends links that were made for a look-up and serve nothing any more, when most places are taken. Those that others made,
   * that are to be kept, or that lead into a topic in common stay.
   */
  thin(): void {
    const { links, keeper, gossip } = this
    if (!links.crowded) return
    for (const link of links.all())
      if (link.outgoing && !keeper.keeps(link) && !gossip.shares(link) && !this.client.uses(link)) link.close()
  }

  async stop(): Promise<void> {
    clearInterval(this.#thinning)
    this.rendezvous.stop()
    this.keeper.stop()
    this.gossip.stop()
    this.torrents.stop()
    // Each part is released whatever the ones before it say.
    await Promise.allSettled([this.links.stop(), this.dht?.stop()])
    await Promise.allSettled([this.stores.close()])
    this.#silent = true
  }

  self(): PeerInfo {
    return { id: this.id, addresses: this.addresses().slice(0, maxSelfAddresses).map(formatAddress) }
  }

  /** Where others reach this participant. */
  addresses(): Address[] {
    const { announce, host } = this.settings
    const { port } = this.links
    if (announce.length > 0) return [...announce]
    if (host !== '0.0.0.0') return [{ host, port }]
    const interfaces = Object.values(networkInterfaces()).flatMap((list) => list ?? [])
    const own = interfaces.filter(({ family }) => family === 'IPv4')
    // Loopback last: it leads others to themselves.
    own.sort((a, b) => Number(a.internal) - Number(b.internal))
    return own.map(({ address }) => ({ host: address, port }))
  }

  #opened(link: Link): void {
    this.gossip.opened(link)
    this.client.opened(link)
    this.#onEvent({ type: 'peer:connect', backend: backendName, id: link.id })
  }

  #closed(link: Link, replaced: boolean): void {
    this.gossip.closed(link, replaced)
    this.client.closed(link)
    this.server.closed(link)
    if (replaced) return
    this.keeper.lost(link)
    this.#onEvent({ type: 'peer:disconnect', backend: backendName, id: link.id })
  }

  #frame(link: Link, kind: number, body: Uint8Array): void {
    try {
      const known =
        this.gossip.frame(link, kind, body) ||
        this.client.frame(link, kind, body) ||
        this.server.frame(link, kind, body) ||
        this.queries.frame(link, kind, body)
      // A later version may say more: what is not known is passed over.
      if (!known) link.spend(10)
    } catch {
      link.strike(strikeForMalformed)
    }
  }
}

function hostsOf({ bootstrap, peers, trackers }: Settings): string[] {
  return [...bootstrap, ...peers].map(({ host }) => host).concat(trackers.map(({ hostname }) => hostname))
}

/** Opens the stores and starts every part. A failure leaves nothing open. */
export async function startEngine(
  settings: Settings,
  memory: MemoryIds,
  onEvent: (event: BackendEvent) => void
): Promise<Engine> {
  const stores = await openStores(settings)
  let engine: Engine | undefined
  try {
    engine = new Engine(settings, stores, await idsOf(settings, stores, memory), onEvent)
    await engine.start()
    return engine
  } catch (error) {
    if (engine === undefined) await stores.close()
    else await engine.stop()
    throw classify('start', error)
  }
}

const idsKey = fromText('ids')
const idLength = 20
/** Client and version, as other clients show them (BEP 20). */
const peerIdPrefix = fromText('-P20001-')

async function idsOf(settings: Settings, { state }: Stores, memory: MemoryIds): Promise<Ids> {
  const kept = settings.dir === undefined ? undefined : await state.get(idsKey)
  if (kept?.byteLength === 2 * idLength) return { peer: kept.slice(0, idLength), node: kept.slice(idLength) }
  if (settings.dir === undefined && memory.ids !== undefined) return memory.ids
  const peer = concatBytes(peerIdPrefix, new Uint8Array(randomBytes(idLength - peerIdPrefix.byteLength)))
  const ids: Ids = { peer, node: new Uint8Array(randomBytes(idLength)) }
  memory.ids = ids
  if (settings.dir !== undefined) await state.write([{ key: idsKey, value: concatBytes(ids.peer, ids.node) }])
  return ids
}

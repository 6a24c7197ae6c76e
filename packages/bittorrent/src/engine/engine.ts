import { networkInterfaces } from 'node:os'
import type { BackendEvent, PeerInfo } from '@p2pl/core/backend'
import { formatAddress, isPrivate, type Address } from '../address.ts'
import { hexOf } from '../bytes.ts'
import { backendName, classify } from '../errors.ts'
import { Client } from '../exchange/client.ts'
import { Queries } from '../exchange/queries.ts'
import { Server } from '../exchange/server.ts'
import { Gossip } from '../gossip/gossip.ts'
import { contentKey, linkKey, peerKey } from '../keys.ts'
import type { Settings } from '../options.ts'
import { openStores, type Stores } from '../stores.ts'
import { Publications } from '../torrent/publications.ts'
import { Torrents } from '../torrent/torrents.ts'
import { Dht } from './dht.ts'
import { Gate } from './gate.ts'
import { idsOf, type Ids, type MemoryIds } from './ids.ts'
import { Keeper } from './keeper.ts'
import type { Link } from './link.ts'
import { LocalDiscovery } from './local.ts'
import { Links } from './links.ts'
import { Publisher } from './publisher.ts'
import { Rendezvous } from './rendezvous.ts'

/** What sha2-256 leaves of 1 MiB and their inner nodes need, with room. */
export const maxBlockBytes: number = 2 * 1024 * 1024

const strikeForMalformed = 25
const maxSelfAddresses = 16
const maxGreeted = 8
const greetLimit = 8_000
const thinningInterval = 15_000

/** The running parts. Lives from one `start` to the next `stop`. */
export class Engine {
  readonly settings: Settings
  readonly stores: Stores
  readonly id: string
  readonly gate: Gate
  readonly links: Links
  readonly keeper: Keeper
  readonly dht: Dht | undefined
  readonly local: LocalDiscovery | undefined
  readonly rendezvous: Rendezvous
  readonly gossip: Gossip
  readonly server: Server
  readonly client: Client
  readonly queries: Queries
  readonly publications: Publications
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
    const publisher = new Publisher(ids.seed)
    this.links = new Links({
      peerId: ids.peer,
      publicKey: publisher.publicKey,
      gate: this.gate,
      maxConnections: settings.maxConnections,
      adopt: (infoHash, socket) => this.torrents.adopt(infoHash, socket),
      events: {
        opened: (link) => this.#opened(link),
        closed: (link, replaced) => this.#closed(link, replaced),
        frame: (link, kind, body) => this.#frame(link, kind, body),
        dhtPort: (_link, host, port) => this.dht?.addNode(host, port)
      }
    })
    this.dht = settings.dht ? new Dht(settings, this.gate, ids.node) : undefined
    this.local = settings.localDiscovery
      ? new LocalDiscovery({ interfaces: localInterfaces(settings), gate: this.gate, port: () => this.links.port })
      : undefined
    this.rendezvous = new Rendezvous({
      dht: this.dht,
      local: this.local,
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
    this.publications = new Publications(this.dht, publisher)
    this.torrents = new Torrents(this, ids.peer)
  }

  async start(): Promise<void> {
    const { settings, links, rendezvous } = this
    await links.listen(settings.host, settings.port)
    for (const address of this.addresses()) links.addOwn(address)
    if (this.dht !== undefined) links.tellDhtPort(await this.dht.listen(settings.dhtPort, settings.host))
    await this.#greet()
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

  /** Participants of the same network are linked, a few of them: so each finds into the others' DHT. */
  async #greet(): Promise<void> {
    if (this.local === undefined) return
    await this.local.start()
    const { links, local } = this
    local.watch(linkKey, (address) => {
      if (links.all().length >= maxGreeted || links.isOwn(address) || links.at(address) !== undefined) return
      links.dial(address, AbortSignal.timeout(greetLimit)).catch(() => {})
    })
    local.keep(linkKey)
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
    this.publications.stop()
    this.keeper.stop()
    this.gossip.stop()
    // Each part is released whatever the ones before it say.
    await Promise.allSettled([this.torrents.stop(), this.links.stop(), this.dht?.stop(), this.local?.stop()])
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

/** Where multicast goes to: the network of `host`, or every private one. */
function localInterfaces({ host }: Settings): string[] {
  if (host !== '0.0.0.0') return [host]
  return Object.values(networkInterfaces())
    .flatMap((list) => list ?? [])
    .filter(({ family, internal, address }) => family === 'IPv4' && !internal && isPrivate(address))
    .map(({ address }) => address)
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

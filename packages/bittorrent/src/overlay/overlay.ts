import type { Address } from '../tools/address.ts'
import type { ProfileGate } from '@p2pl/embedded'
import { Client } from './exchange/client.ts'
import { Queries, type Answers } from './exchange/queries.ts'
import { Server } from './exchange/server.ts'
import { Gossip } from './gossip/gossip.ts'
import { Recent } from './gossip/recent.ts'
import { Topics } from './gossip/topics.ts'
import type { Identity } from './identity.ts'
import { linkKey, peerKey } from './keys.ts'
import { Dialler } from './links/dialler.ts'
import { Frames } from './links/frames.ts'
import type { Link } from './links/link.ts'
import { Links } from './links/links.ts'
import { Listener, type Adopt } from './links/listener.ts'
import { Liveness, lookInterval } from './links/liveness.ts'
import { Opener } from './links/opener.ts'
import { Places, type Worth } from './links/places.ts'
import { Scheduler } from './links/scheduler.ts'
import { Wanted } from './links/wanted.ts'
import { anyHost, localInterfaces, ownAddresses } from './own-addresses.ts'
import { Dht } from './rendezvous/dht.ts'
import { LocalDiscovery } from './rendezvous/local.ts'
import { Rendezvous } from './rendezvous/rendezvous.ts'

const maxGreeted = 8
const greetTimeout = 8_000

export interface OverlayOptions {
  readonly host: string
  readonly port: number
  readonly dhtPort: number
  readonly announce: readonly Address[]
  readonly dht: boolean
  readonly bootstrap: readonly Address[]
  /** Whether the DHT's nodes are far away. */
  readonly wide: boolean
  readonly localDiscovery: boolean
  readonly trackers: readonly URL[]
  readonly maxConnections: number
  readonly degree: number
}

export interface OverlayInit {
  readonly options: OverlayOptions
  readonly identity: Identity
  readonly gate: ProfileGate
  readonly load: (multihash: Uint8Array) => Promise<Uint8Array | undefined>
  readonly answers: Answers
  readonly adopt: Adopt
}

/**
 * The network of peers. It creates, connects, starts and stops its parts. Each part receives only what it needs, never
 * the whole overlay.
 */
export class Overlay {
  readonly links: Links
  readonly dialler: Dialler
  readonly wanted: Wanted = new Wanted()
  readonly rendezvous: Rendezvous
  readonly dht: Dht | undefined
  readonly topics: Topics
  readonly gossip: Gossip
  readonly server: Server
  readonly client: Client
  readonly queries: Queries
  readonly #init: OverlayInit
  readonly #listener: Listener
  readonly #liveness: Liveness
  readonly #places: Places
  readonly #local: LocalDiscovery | undefined
  #dhtPort = 0
  #timer: NodeJS.Timeout | undefined

  constructor(init: OverlayInit) {
    this.#init = init
    const { options, identity, gate } = init
    const frames = new Frames()
    const links = new Links(identity.id)
    const places = new Places(options.maxConnections, (link) => this.#worthOf(link))
    const port = (): number => this.#listener.port
    // The port under which others reach this peer from outside, if it differs.
    const told = (): number => options.announce[0]?.port ?? port()
    const opener = new Opener({
      identity,
      frames,
      links,
      scheduler: new Scheduler(),
      ports: () => ({ tcp: told(), dht: this.#dhtPort }),
      dhtNode: (host, node) => this.dht?.addNode(host, node)
    })
    this.links = links
    this.#places = places
    this.#listener = new Listener({ gate, places, opener, adopt: init.adopt })
    this.#liveness = new Liveness(links, frames)
    const localAddress = options.host === anyHost ? undefined : options.host
    this.dialler = new Dialler({ id: identity.id, localAddress, gate, places, opener, links })
    this.dht = options.dht ? new Dht({ ...options, nodeId: identity.nodeId, gate }) : undefined
    this.#local = options.localDiscovery
      ? new LocalDiscovery({ interfaces: localInterfaces(options.host), gate, port })
      : undefined
    const { dialler, dht } = this
    this.rendezvous = new Rendezvous({
      dht,
      local: this.#local,
      trackers: options.trackers,
      peerId: identity.peerId,
      port: told
    })
    const { rendezvous } = this
    const recent = new Recent()
    this.topics = new Topics({ frames, recent, links, dialler, places, rendezvous, degree: options.degree })
    this.gossip = new Gossip({ peerId: identity.peerId, frames, topics: this.topics, recent })
    this.server = new Server(frames, links, init.load)
    this.client = new Client(frames, links)
    this.queries = new Queries(frames, links, init.answers)
  }

  async start(): Promise<void> {
    const { options, identity } = this.#init
    await this.#listener.listen(options.host, options.port)
    for (const address of this.addresses()) this.dialler.addOwn(address)
    if (this.dht !== undefined) this.#dhtPort = await this.dht.listen(options.dhtPort, options.host)
    this.#timer = setInterval(() => this.#look(), lookInterval).unref()
    await this.#greet()
    this.rendezvous.keepSoon(peerKey(identity.id))
  }

  async stop(): Promise<void> {
    clearInterval(this.#timer)
    this.rendezvous.stop()
    this.topics.stop()
    this.dialler.stop()
    for (const { socket } of this.#places.all()) socket.destroy()
    // Each part is released even if another one fails to stop.
    await Promise.allSettled([this.#listener.stop(), this.dht?.stop(), this.#local?.stop()])
  }

  /** The addresses under which others reach this peer. */
  addresses(): Address[] {
    const { announce, host } = this.#init.options
    return ownAddresses(announce, host, this.#listener.port)
  }

  #look(): void {
    this.#liveness.look()
    this.#places.look()
    this.topics.look()
  }

  #worthOf(link: Link): Worth {
    if (this.wanted.has(link) || this.client.uses(link)) return 'kept'
    return this.topics.shares(link) ? 'useful' : 'idle'
  }

  /** Links a few peers of the same network, so that each gets to know the others' DHT nodes. */
  async #greet(): Promise<void> {
    const local = this.#local
    if (local === undefined) return
    await local.start()
    local.watch(linkKey, (address) => {
      const { links, dialler } = this
      if (links.all().length >= maxGreeted || dialler.isOwn(address) || links.at(address) !== undefined) return
      dialler.dial(address, AbortSignal.timeout(greetTimeout)).catch(() => {})
    })
    local.keep(linkKey)
  }
}

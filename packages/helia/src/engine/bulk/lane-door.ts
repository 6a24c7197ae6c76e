import type { Libp2p } from '@libp2p/interface'
import { peerIdFromString } from '@libp2p/peer-id'
import { multiaddr, type Multiaddr } from '@multiformats/multiaddr'
import { isLoopback } from '@p2pl/embedded'
import type { Channel } from './channel.ts'
import { frameOf, Kind } from './frames.ts'
import type { LaneSocket } from './lane.ts'
import { hasLanes, Lanes } from './lanes.ts'

/** A peer is asked for a lane after it has sent this many bytes by a stream. */
const worthwhile = 256 * 1024
/** The most requests for a lane that are answered per channel. */
const maxRequests = 4

/** The rules that lanes must follow. */
export interface LaneRules {
  /** Addresses on which this peer listens. */
  readonly listen: readonly Multiaddr[]
  /** Whether this is a private network. Such a network encrypts with its own key and has no lanes. */
  readonly isPrivate: boolean
  readonly allowsDial: (address: Multiaddr) => boolean
}

/**
 * Requests, offers and opens lanes to other peers. Per connected peer there is at most one lane that this side dialled
 * and one that the other side dialled.
 */
export class LaneDoor {
  readonly #libp2p: Libp2p
  readonly #rules: LaneRules
  readonly #opened: (id: string, socket: LaneSocket) => Channel
  readonly #lanes: Lanes
  readonly #dialled = new Map<string, Channel>()
  readonly #accepted = new Map<string, Channel>()
  /** Peers that were asked, until they leave or their lane ends. */
  readonly #asked = new Set<string>()
  /** Bytes and requests that arrived on streams. */
  readonly #bytes = new WeakMap<Channel, number>()
  readonly #requests = new WeakMap<Channel, number>()

  constructor(libp2p: Libp2p, rules: LaneRules, opened: (id: string, socket: LaneSocket) => Channel) {
    this.#libp2p = libp2p
    this.#rules = rules
    this.#opened = opened
    this.#lanes = new Lanes(rules.isPrivate ? undefined : hostToListen(rules.listen), (id, socket) =>
      this.#add(this.#accepted, id, socket)
    )
  }

  /** The number of open lanes. */
  get size(): number {
    return this.#dialled.size + this.#accepted.size
  }

  /** Bytes of blocks arrived on a channel. */
  received(id: string, channel: Channel, bytes: number): void {
    if (this.#asked.has(id) || this.#has(id)) return
    const total = (this.#bytes.get(channel) ?? 0) + bytes
    this.#bytes.set(channel, total)
    // While the channel is closing, data that the peer sent before still arrives.
    if (total < worthwhile || !channel.open) return
    this.#asked.add(id)
    if (hasLanes && !this.#rules.isPrivate && this.#hostOf(id) !== undefined)
      channel.pipe.send([frameOf(Kind.laneRequest, new Uint8Array())])
  }

  frame(id: string, channel: Channel, kind: number, body: Uint8Array): void {
    if (kind === Kind.lane) {
      // A copy, because it is used later.
      if (this.#asked.has(id) && !this.#has(id)) void this.#take(id, new Uint8Array(body))
      return
    }
    const requests = (this.#requests.get(channel) ?? 0) + 1
    if (requests > maxRequests) return
    this.#requests.set(channel, requests)
    void this.#offer(id, channel)
  }

  /** The peer is no longer connected, so the identity that its connection proved no longer holds for its lanes. */
  leave(id: string): void {
    this.#asked.delete(id)
    for (const lanes of [this.#dialled, this.#accepted]) {
      lanes.get(id)?.pipe.abort(new Error('the peer has disconnected'))
      lanes.delete(id)
    }
  }

  close(): void {
    this.#lanes.close()
  }

  async #offer(id: string, channel: Channel): Promise<void> {
    let offer = new Uint8Array()
    try {
      offer = new Uint8Array(await this.#lanes.offer(id))
    } catch {
      // No port is free, or this runtime has no sockets. The stream stays in use.
    }
    if (channel.open) channel.pipe.send([frameOf(Kind.lane, offer)])
  }

  async #take(id: string, offer: Uint8Array): Promise<void> {
    const host = this.#hostOf(id)
    if (host === undefined || offer.byteLength === 0) return
    try {
      this.#add(this.#dialled, id, await this.#lanes.take(host, offer))
    } catch {
      // The port cannot be reached from here. The stream stays in use.
    }
  }

  #has(id: string): boolean {
    return this.#dialled.has(id) || this.#accepted.has(id)
  }

  #add(lanes: Map<string, Channel>, id: string, socket: LaneSocket): void {
    if (this.#libp2p.getConnections(peerIdFromString(id)).length === 0) {
      socket.destroy()
      return
    }
    const before = lanes.get(id)
    const channel = this.#opened(id, socket)
    lanes.set(id, channel)
    socket.once('close', () => {
      if (lanes.get(id) !== channel) return
      lanes.delete(id)
      this.#asked.delete(id)
    })
    // Keep the newer lane.
    before?.pipe.close()
  }

  /** The host of the peer's connection, if a socket may be opened to it. */
  #hostOf(id: string): string | undefined {
    for (const { remoteAddr, limits } of this.#libp2p.getConnections(peerIdFromString(id))) {
      const [host, ...rest] = remoteAddr.getComponents()
      if (host?.value === undefined || limits !== undefined || rest[0]?.name !== 'tcp') continue
      if (host.name !== 'ip4' && host.name !== 'ip6') continue
      if (this.#rules.allowsDial(multiaddr(`/${host.name}/${host.value}/tcp/1/p2p/${id}`))) return host.value
    }
    return undefined
  }
}

/** The widest host: an address for all interfaces comes before a single interface, and that before loopback. */
function hostToListen(addresses: readonly Multiaddr[]): string | undefined {
  const hosts: string[] = []
  for (const address of addresses) {
    const [host, transport] = address.getComponents()
    if ((host?.name === 'ip4' || host?.name === 'ip6') && host.value !== undefined && transport?.name === 'tcp')
      hosts.push(host.value)
  }
  return (
    hosts.find((host) => host === '0.0.0.0' || host === '::') ?? hosts.find((host) => !isLoopback(host)) ?? hosts[0]
  )
}

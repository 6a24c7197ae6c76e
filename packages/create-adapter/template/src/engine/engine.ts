import { P2plError, type EngineEvent, type PeerInfo } from '@p2pl/core/backend'
//| import { randomBytes } from 'node:crypto'
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net'
import { type Address, formatAddress, parseAddress } from './address.ts'
// [full
import { Exchange, type BlockSource } from './exchange.ts'
// full]
import { type Frame, maxMessage } from './frames.ts'
import { Link } from './link.ts'
import { Topics } from './topics.ts'

const maxLinks = 200
const maxTopicsOfPeer = 10_000

export interface EngineOptions {
  readonly listen: Address
  // [full
  /** The id of this peer, from its folder. */
  readonly id: string
  readonly blocks: BlockSource
  // full]
  readonly report: (event: EngineEvent) => void
  readonly signal: AbortSignal
}

/**
 * The engine connects peers by TCP, each with every peer that it knows. A message goes to all of them that have joined its
 * topic. Replace this class with your own engine. The adapter uses only its public members.
 */
export class Engine {
  // [full
  readonly id: string
  readonly exchange: Exchange
  // full]
  //| readonly id: string = randomBytes(16).toString('hex')
  readonly topics: Topics = new Topics()
  readonly #links = new Set<Link>()
  readonly #sockets = new Map<Socket, Link>()
  readonly #report: EngineOptions['report']
  readonly #server: Server
  #isolated = false

  private constructor(options: EngineOptions) {
    // [full
    this.id = options.id
    this.exchange = new Exchange(options.blocks, () => this.links())
    // full]
    this.#report = options.report
    this.#server = createServer((socket) => void this.#greet(socket))
  }

  static async start(options: EngineOptions): Promise<Engine> {
    const engine = new Engine(options)
    const { listen, signal } = options
    const server = engine.#server
    signal.throwIfAborted()
    await new Promise<void>((resolve, reject) => {
      signal.addEventListener('abort', () => reject(signal.reason as Error), { once: true })
      server.once('error', reject).listen({ ...listen, signal }, resolve)
    })
    server.on('error', () => undefined)
    return engine
  }

  get address(): string {
    const { address: host, port } = this.#server.address() as AddressInfo
    return formatAddress({ host, port })
  }

  /** Peers that are connected now, one link each. */
  links(): Link[] {
    const byId = new Map<string, Link>()
    for (const link of this.#links) if (link.open && !byId.has(link.id)) byId.set(link.id, link)
    return [...byId.values()]
  }

  link(id: string): Link | undefined {
    return this.links().find((link) => link.id === id)
  }

  /** Connects to a peer at an address. Rejects with the error of the socket when no peer answers. */
  async dial(address: Address, signal: AbortSignal): Promise<Link> {
    const socket = connect(address)
    // The signal belongs to the call, and the link outlives the call.
    const abort = (): unknown => socket.destroy(signal.reason as Error)
    signal.addEventListener('abort', abort)
    try {
      await new Promise<void>((resolve, reject) => {
        socket.once('connect', resolve).on('error', reject)
      })
      const link = await this.#greet(socket)
      if (link !== undefined) return link
    } finally {
      signal.removeEventListener('abort', abort)
    }
    throw new P2plError({ code: 'UNREACHABLE', message: `no peer of this network is at ${formatAddress(address)}` })
  }

  /** Resolves when all connected peers know about it. Their publishes arrive from then on. */
  async join(topic: string): Promise<void> {
    await Promise.all(this.links().map((link) => link.request({ join: topic }).catch(() => undefined)))
  }

  leave(topic: string): void {
    for (const link of this.links()) link.send({ leave: topic })
  }

  /** Sends to the peers that have joined the topic, and returns their links. */
  publish(topic: string, payload: Uint8Array): Link[] {
    const links = this.links().filter((link) => link.topics.has(topic))
    for (const link of links) link.send({ publish: topic }, payload)
    return links
  }

  disconnect(id: string): void {
    for (const link of this.#links) if (link.id === id) link.leave()
  }

  /** For tests: acts like a pulled cable until the returned function is called. */
  isolate(): () => void {
    this.#isolated = true
    const held = [...this.#sockets.keys()]
    for (const socket of held) {
      socket.cork()
      socket.pause()
    }
    return () => {
      this.#isolated = false
      for (const socket of held) {
        socket.uncork()
        socket.resume()
      }
    }
  }

  async stop(): Promise<void> {
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()))
    for (const [socket, link] of this.#sockets) {
      // A peer that has not greeted, or cannot be reached, is not told.
      if (this.#links.has(link) && !this.#isolated) link.leave()
      else socket.destroy()
    }
    await closed
  }

  /** The link, once the other side has sent its name; `undefined` if it sends none. */
  async #greet(socket: Socket): Promise<Link | undefined> {
    if (this.#isolated || this.#sockets.size >= maxLinks) {
      socket.destroy()
      return undefined
    }
    const { promise, resolve } = Promise.withResolvers<Link | undefined>()
    const link: Link = new Link(
      socket,
      (frame) => {
        if ('hello' in frame.header && link.id === '') {
          link.id = frame.header.hello
          link.address = frame.header.address
          if (!isId(link.id) || link.id === this.id || parseAddress(link.address) === undefined) link.close()
          else this.#welcome(link)
          resolve(link.open ? link : undefined)
        } else if (link.id === '') link.close()
        else this.#take(link, frame)
      },
      () => {
        this.#sockets.delete(socket)
        this.#lose(link)
        resolve(undefined)
      }
    )
    this.#sockets.set(socket, link)
    link.send({ hello: this.id, address: this.address })
    return await promise
  }

  #welcome(link: Link): void {
    const known = this.link(link.id)
    this.#links.add(link)
    // Two peers that dial each other at once have two links.
    if (known !== undefined) link.share(known)
    else this.#report({ type: 'peer:connect', id: link.id })
    this.topics.connected(link.id)
    for (const topic of this.topics.names) void link.request({ join: topic }).catch(() => undefined)
    // [full
    this.exchange.connected(link)
    // full]
  }

  #lose(link: Link): void {
    if (!this.#links.delete(link)) return
    this.topics.disconnected(link.id, link.left)
    const other = this.link(link.id)
    if (other === undefined) this.#report({ type: 'peer:disconnect', id: link.id })
    else this.topics.connected(link.id)
  }

  #take(link: Link, { header, body }: Frame): void {
    if ('join' in header) {
      if (link.topics.size < maxTopicsOfPeer) link.topics.add(header.join)
      this.topics.joined(header.join, link.id)
      link.send({ ok: header.n })
    } else if ('leave' in header) link.topics.delete(header.leave)
    else if ('publish' in header) {
      if (body.byteLength > maxMessage) link.close()
      else this.topics.deliver(header.publish, body, link.id)
    }
    // [full
    else if ('want' in header) void this.exchange.serve(link, header.want, header.n)
    else if ('have' in header) this.exchange.offered(link, header.have)
    // full]
    else if ('bye' in header) {
      link.left = true
      link.close()
    }
  }
}

export function isId(text: string): boolean {
  return /^[0-9a-f]{32}$/.test(text)
}

/** A connected peer, in the form of the port. */
export function peerInfoOf(network: string, { id, address }: Link): PeerInfo {
  return { network, id, addresses: [address] }
}

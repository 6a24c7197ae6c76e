import { connect, createServer, type Server, type Socket } from 'node:net'
import { formatAddress, plainHost, type Address } from '../address.ts'
import { equalBytes, fromHex, hexOf } from '../bytes.ts'
import { untilAborted } from '@p2pl/embedded'
import { failure } from '../errors.ts'
import { linkKey } from '../keys.ts'
import type { Gate } from './gate.ts'
import { extensionName, frameLimit, Link } from './link.ts'
import { openWire, type GuardedWire } from './wire.ts'

const connectLimit = 3_000
const handshakeLimit = 5_000
const keepAliveInterval = 30_000

export interface LinkEvents {
  opened(link: Link): void
  /** `replaced`: another link to the same participant is open. */
  closed(link: Link, replaced: boolean): void
  frame(link: Link, kind: number, body: Uint8Array): void
  /** The other's DHT node listens on this UDP port. */
  dhtPort(link: Link, host: string, port: number): void
}

/** Takes incoming wires of other infohashes. */
export type Adopt = (infoHash: string, peerId: string, guarded: GuardedWire) => boolean

export interface LinksInit {
  readonly peerId: Uint8Array
  readonly gate: Gate
  readonly maxConnections: number
  readonly events: LinkEvents
  readonly adopt: Adopt
}

/** The TCP side: listens, dials, and keeps one link to each participant. */
export class Links {
  readonly #init: LinksInit
  readonly #id: string
  readonly #links = new Map<string, Link>()
  readonly #sockets = new Set<Socket>()
  readonly #dials = new Map<string, Promise<Link>>()
  /** Own addresses, found by dialling them. */
  readonly #own = new Set<string>()
  #server: Server | undefined
  #port = 0
  #dhtPort: number | undefined
  #timer: NodeJS.Timeout | undefined
  #stopped = false

  constructor(init: LinksInit) {
    this.#init = init
    this.#id = hexOf(init.peerId)
  }

  get port(): number {
    return this.#port
  }

  async listen(host: string, port: number): Promise<void> {
    const server = createServer({ noDelay: true }, (socket) => this.#accept(socket))
    this.#server = server
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject)
      server.listen(port, host, resolve)
    })
    server.on('error', () => {})
    this.#port = (server.address() as { port: number }).port
    this.#timer = setInterval(() => {
      for (const link of this.#links.values()) link.wire.keepAlive()
    }, keepAliveInterval)
    this.#timer.unref()
  }

  /** The port of the DHT, once it listens. It is told to everybody who connects. */
  tellDhtPort(port: number): void {
    this.#dhtPort = port
  }

  async stop(): Promise<void> {
    this.#stopped = true
    clearInterval(this.#timer)
    for (const socket of this.#sockets) socket.destroy()
    const server = this.#server
    if (server?.listening === true) await new Promise<void>((resolve) => server.close(() => resolve()))
  }

  all(): Link[] {
    return [...this.#links.values()]
  }

  get(id: string): Link | undefined {
    return this.#links.get(id)
  }

  at(address: Address): Link | undefined {
    const text = formatAddress(address)
    for (const link of this.#links.values())
      if (link.address !== undefined && formatAddress(link.address) === text) return link
    return undefined
  }

  isOwn(address: Address): boolean {
    return this.#own.has(formatAddress(address))
  }

  addOwn(address: Address): void {
    this.#own.add(formatAddress(address))
  }

  /** Three of four places are taken. */
  get crowded(): boolean {
    return this.#sockets.size * 4 >= this.#init.maxConnections * 3
  }

  get full(): boolean {
    return this.#sockets.size >= this.#init.maxConnections
  }

  /** A link to whoever listens there, an open one or a new one. */
  async dial(address: Address, signal: AbortSignal): Promise<Link> {
    const existing = this.at(address)
    if (existing !== undefined) return existing
    const text = formatAddress(address)
    if (this.isOwn(address)) throw unreachable(`${text} is this participant itself`)
    let dial = this.#dials.get(text)
    if (dial === undefined) {
      dial = this.#dial(address, text).finally(() => this.#dials.delete(text))
      dial.catch(() => {})
      this.#dials.set(text, dial)
    }
    return await untilAborted(dial, signal)
  }

  /** A connection of another kind, such as a torrent's. It counts, and ends with the rest. */
  async connect(address: Address): Promise<Socket> {
    const text = formatAddress(address)
    if (this.#stopped) throw unreachable('the backend has stopped')
    if (!this.#init.gate.allows(address.host))
      throw unreachable(`the profile does not allow to connect to ${text}: name it, or choose another profile`)
    if (this.full) throw unreachable('there are maxConnections connections already')
    const socket = connect({ host: address.host, port: address.port, noDelay: true })
    this.#track(socket)
    const { promise, resolve, reject } = Promise.withResolvers<void>()
    const timer = setTimeout(() => reject(unreachable(`${text} does not answer`)), connectLimit)
    socket.once('connect', resolve)
    socket.once('error', reject)
    socket.once('close', () => reject(unreachable(`${text} closed the connection`)))
    try {
      await promise
    } catch (cause) {
      socket.destroy()
      throw unreachable(`${text} does not answer: ${cause instanceof Error ? cause.message : String(cause)}`, cause)
    } finally {
      clearTimeout(timer)
      socket.off('connect', resolve)
      socket.off('error', reject)
    }
    return socket
  }

  async #dial(address: Address, text: string): Promise<Link> {
    const socket = await this.connect(address)
    const { promise, resolve, reject } = Promise.withResolvers<Link>()
    const timer = setTimeout(() => socket.destroy(), handshakeLimit)
    const guarded = openWire(socket, 'tcpOutgoing', () => reject(unreachable(`${text} is no participant of p2pl`)))
    let remote: string | undefined
    guarded.wire.on('handshake', (infoHash: string, peerId: string) => {
      remote = peerId
      if (infoHash !== hexOf(linkKey)) return guarded.fail()
      if (peerId !== this.#id) return
      this.addOwn(address)
      guarded.fail()
    })
    this.#prepare(guarded, () => remote, address, resolve)
    guarded.wire.handshake(linkKey, this.#init.peerId, { dht: true })
    try {
      return await promise
    } catch (error) {
      // Both dialled at once, and the other link was the one to keep.
      const kept = remote === undefined ? undefined : this.#links.get(remote)
      if (kept !== undefined) return kept
      throw error
    } finally {
      clearTimeout(timer)
    }
  }

  #accept(socket: Socket): void {
    const host = plainHost(socket.remoteAddress ?? '')
    if (this.#stopped || this.full || !this.#init.gate.allows(host)) return void socket.destroy()
    this.#track(socket)
    const timer = setTimeout(() => socket.destroy(), handshakeLimit)
    let remote: string | undefined
    const guarded = openWire(socket, 'tcpIncoming', () => clearTimeout(timer))
    const { wire } = guarded
    wire.once('handshake', (infoHash: string, peerId: string) => {
      if (peerId === this.#id) return guarded.fail()
      if (equalBytes(fromHex(infoHash) ?? new Uint8Array(), linkKey)) {
        remote = peerId
        wire.handshake(linkKey, this.#init.peerId, { dht: true })
        return
      }
      try {
        if (!this.#init.adopt(infoHash, peerId, guarded)) guarded.fail()
        else clearTimeout(timer)
      } catch {
        guarded.fail()
      }
    })
    this.#prepare(
      guarded,
      () => remote,
      undefined,
      () => clearTimeout(timer)
    )
  }

  /** Registers the extension; the link is open when the other has told its own. */
  #prepare(
    guarded: GuardedWire,
    remote: () => string | undefined,
    dialled: Address | undefined,
    opened: (link: Link) => void
  ): void {
    const { wire, socket } = guarded
    const host = plainHost(socket.remoteAddress ?? '')
    wire.extendedHandshake = { v: 'p2pl', p: this.#port }
    let link: Link | undefined
    const open = (handshake: unknown): void => {
      const id = remote()
      if (link !== undefined || id === undefined || socket.destroyed) return
      const port = Number((handshake as { p?: unknown }).p)
      const told = Number.isInteger(port) && port > 0 && port <= 65_535 ? { host, port } : undefined
      const made = new Link(guarded, id, dialled ?? told, dialled !== undefined)
      if (!this.#keepThis(made)) return guarded.fail()
      link = made
      guarded.limit = frameLimit
      this.#enter(made, guarded, host)
      opened(made)
    }
    const onFrame = (bytes: Uint8Array): void => {
      const kind = bytes[0]
      if (link !== undefined && kind !== undefined) this.#init.events.frame(link, kind, bytes.subarray(1))
    }
    class Extension {
      onExtendedHandshake(handshake: unknown): void {
        open(handshake)
      }
      onMessage(bytes: Uint8Array): void {
        onFrame(bytes)
      }
    }
    Object.defineProperty(Extension.prototype, 'name', { value: extensionName })
    wire.use(Extension)
  }

  /** Of two links to one participant both ends keep the same: the one that the smaller id dialled, else the newer. */
  #keepThis(link: Link): boolean {
    const existing = this.#links.get(link.id)
    if (existing === undefined || existing.outgoing === link.outgoing) return true
    return link.outgoing === this.#id < link.id
  }

  #enter(link: Link, guarded: GuardedWire, host: string): void {
    const { events } = this.#init
    const former = this.#links.get(link.id)
    this.#links.set(link.id, link)
    guarded.socket.once('close', () => {
      const replaced = this.#links.get(link.id) !== link
      if (!replaced) this.#links.delete(link.id)
      events.closed(link, replaced)
    })
    guarded.wire.on('port', (port: number) => {
      if (link.spend(100)) events.dhtPort(link, host, port)
    })
    if (this.#dhtPort !== undefined) guarded.wire.port(this.#dhtPort)
    events.opened(link)
    // What is under way on it still arrives.
    former?.close()
  }

  #track(socket: Socket): void {
    this.#sockets.add(socket)
    socket.on('error', () => socket.destroy())
    socket.once('close', () => this.#sockets.delete(socket))
  }
}

function unreachable(message: string, cause?: unknown): Error {
  return failure({ code: 'UNREACHABLE', operation: 'dial', message, cause })
}

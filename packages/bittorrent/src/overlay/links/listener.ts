import { createServer, type Server, type Socket } from 'node:net'
import { BoundedMap } from '@p2pl/core/backend'
import { plainHost } from '@p2pl/embedded'
import { TokenBucket } from '../../tools/token-bucket.ts'
import { hexOf } from '../../tools/bytes.ts'
import type { ProfileGate } from '@p2pl/embedded'
import { linkKey } from '../keys.ts'
import { infoHashEnd, infoHashOf, readHead } from '../wire/handshake.ts'
import type { Opener } from './opener.ts'
import type { Place, Places } from './places.ts'

/** A connection that has not sent its infohash within this time (ms) is closed. */
const headTimeout = 5_000
/** The most handshakes per second and host: each costs about a millisecond of signatures. */
const hostRate = 100
const hostBurst = 1_000
const maxHosts = 4_096

/** Takes connections with another infohash than that of links. Returns whether it has taken this one. */
export type Adopt = (infoHash: string, socket: Socket) => boolean

export interface ListenerInit {
  readonly gate: ProfileGate
  readonly places: Places
  readonly opener: Opener
  readonly adopt: Adopt
}

/** The single TCP port, for links and for torrents. */
export class Listener {
  readonly #init: ListenerInit
  readonly #hosts = new BoundedMap<string, TokenBucket>(maxHosts)
  #server: Server | undefined
  #port = 0

  constructor(init: ListenerInit) {
    this.#init = init
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
  }

  async stop(): Promise<void> {
    const server = this.#server
    if (server?.listening === true) await new Promise<void>((resolve) => server.close(() => resolve()))
  }

  #accept(socket: Socket): void {
    socket.on('error', () => socket.destroy())
    const host = plainHost(socket.remoteAddress ?? '')
    const { gate, places } = this.#init
    const place = gate.allows(host) ? places.enter(socket, host, false) : undefined
    if (place === undefined) return void socket.destroy()
    const timer = setTimeout(() => socket.destroy(), headTimeout)
    socket.once('close', () => clearTimeout(timer))
    readHead(socket, infoHashEnd, (head) => {
      clearTimeout(timer)
      socket.unshift(head)
      this.#named(place, hexOf(infoHashOf(head)))
    })
  }

  #named(place: Place, infoHash: string): void {
    const { opener, adopt } = this.#init
    // A stranger that fails the handshake is not worth reporting.
    if (infoHash === hexOf(linkKey)) {
      if (!this.#admits(place.host)) return void place.socket.destroy()
      return void opener.open(place).catch(() => {})
    }
    try {
      place.torrent = adopt(infoHash, place.socket)
    } catch {
      place.torrent = false
    }
    if (!place.torrent) place.socket.destroy()
  }

  #admits(host: string): boolean {
    const budget = this.#hosts.get(host) ?? new TokenBucket(hostRate, hostBurst)
    this.#hosts.set(host, budget)
    return budget.take(1)
  }
}

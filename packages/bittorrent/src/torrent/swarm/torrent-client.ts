import type WebTorrent from 'webtorrent'
import { failure } from '../../tools/failure.ts'
import { clientMembers, needMembers } from './members.ts'

/**
 * Everything by which the library would find or tell others by itself is off: the rendezvous and the gate decide who is met and
 * where a connection may lead.
 */
const closed = {
  dht: false,
  tracker: false,
  lsd: false,
  natUpnp: false,
  natPmp: false,
  utp: false,
  utPex: false,
  webSeeds: false,
  secure: 0
} as const

/** WebTorrent's client, loaded when the first torrent is needed. It has no port of its own: sockets are handed to it. */
export class TorrentClient {
  readonly #peerId: Uint8Array
  readonly #maxConnections: number
  #opening: Promise<WebTorrent> | undefined
  #stopped = false

  constructor(peerId: Uint8Array, maxConnections: number) {
    this.#peerId = peerId
    this.#maxConnections = maxConnections
  }

  async open(): Promise<WebTorrent> {
    if (this.#stopped) throw failure({ code: 'NOT_RUNNING', operation: 'torrents', message: 'the backend has stopped' })
    this.#opening ??= this.#open()
    this.#opening.catch(() => (this.#opening = undefined))
    return await this.#opening
  }

  async stop(): Promise<void> {
    this.#stopped = true
    const client = await this.#opening?.catch(() => undefined)
    if (client === undefined || client.destroyed) return
    // Its callback says that the server was closed already, which it was.
    await new Promise<void>((resolve) => client.destroy(() => resolve()))
  }

  async #open(): Promise<WebTorrent> {
    const { default: Client } = await import('webtorrent')
    const client = new Client({
      ...closed,
      peerId: this.#peerId,
      maxConns: this.#maxConnections,
      // Handed down to `server.listen` as it is.
      torrentPort: { host: '127.0.0.1', port: 0 }
    })
    try {
      await new Promise<void>((resolve, reject) => {
        client.once('error', reject)
        client.once('listening', resolve)
      })
      needMembers(client, clientMembers)
    } catch (error) {
      client.destroy(() => {})
      throw error
    }
    client.on('error', () => (this.#opening = undefined))
    // A second door, behind which nobody asks the gate.
    client._connPool.tcpServer.close()
    return client
  }
}

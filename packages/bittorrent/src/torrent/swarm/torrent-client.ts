import type WebTorrent from 'webtorrent'
import { failure } from '../../tools/failure.ts'
import { clientMembers, needMembers } from './members.ts'

/**
 * Everything by which the library would find or inform other peers itself is off. The rendezvous and the gate decide
 * which peers are contacted, and where a connection may lead.
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

/** WebTorrent's client, loaded when the first torrent is needed. It has no port: sockets are handed to it. */
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
    // Its callback reports that the server was already closed, which is true.
    await new Promise<void>((resolve) => client.destroy(() => resolve()))
  }

  async #open(): Promise<WebTorrent> {
    const { default: Client } = await import('webtorrent')
    const client = new Client({
      ...closed,
      peerId: this.#peerId,
      maxConns: this.#maxConnections,
      // Passed on unchanged to `server.listen`.
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
    // A second port, whose connections would not pass the gate.
    client._connPool.tcpServer.close()
    return client
  }
}

import { Client, type DhtOptions } from 'bittorrent-dht'
import { formatAddress, type Address } from '../address.ts'
import { hexOf } from '../bytes.ts'
import { untilAborted } from '@p2pl/embedded'
import type { Key } from '../keys.ts'
import type { Settings } from '../options.ts'
import type { Gate } from './gate.ts'
import { UdpSocket } from './udp.ts'

/** How long others keep a record, and we theirs. */
export const recordLifetime: number = 30 * 60_000
const queryLimit = 1_000
const publicQueryLimit = 2_000

/** The mainline DHT (BEP 5), or one like it. */
export class Dht {
  readonly #options: DhtOptions
  readonly #watchers = new Map<string, Set<(address: Address) => void>>()
  readonly socket: UdpSocket
  #client: Client | undefined

  constructor(settings: Settings, gate: Gate, nodeId: Uint8Array) {
    this.socket = new UdpSocket(gate)
    const bootstrap = settings.bootstrap.map(formatAddress)
    this.#options = {
      nodeId: Buffer.from(nodeId),
      bootstrap: bootstrap.length === 0 ? false : bootstrap,
      socket: this.socket,
      timeout: settings.profile === 'public' ? publicQueryLimit : queryLimit,
      maxAge: recordLifetime,
      maxPeers: 10_000,
      maxValues: 100
    }
  }

  async listen(port: number, host: string): Promise<number> {
    // Not in the constructor: the library begins to send one turn later, and that would bind the socket to any address.
    const client = new Client(this.#options)
    this.#client = client
    client.on('warning', () => {})
    client.on('peer', (address: Address, key: Uint8Array) => {
      for (const found of this.#watchers.get(hexOf(key)) ?? []) found(address)
    })
    await new Promise<void>((resolve, reject) => {
      client.once('error', reject)
      client.once('listening', resolve)
      client.listen(port, host)
    })
    client.on('error', () => {})
    return client.address().port
  }

  get size(): number {
    return this.#client?.nodes.count() ?? 0
  }

  addNode(host: string, port: number): void {
    if (this.#client?.destroyed === false && port > 0) this.#client.addNode({ host, port })
  }

  /** Calls `found` for each record, some of them several times. Resolves when nobody is left to ask. */
  async lookup(key: Key, found: (address: Address) => void, signal: AbortSignal): Promise<void> {
    signal.throwIfAborted()
    const client = this.#client
    if (client === undefined || client.destroyed) return
    const name = hexOf(key)
    const watchers = this.#watchers.get(name) ?? new Set()
    this.#watchers.set(name, watchers)
    // An object of its own: the same function may watch twice.
    const own = (address: Address): void => found(address)
    watchers.add(own)
    let end: (() => void) | undefined
    try {
      const done = new Promise<void>((resolve) => {
        end = client.lookup(Buffer.from(key), () => resolve())
      })
      await untilAborted(done, signal)
    } finally {
      end?.()
      watchers.delete(own)
      if (watchers.size === 0) this.#watchers.delete(name)
    }
  }

  /** Looks up and announces. Whether a node has taken the record. The library by itself would not look up again for minutes. */
  async announce(key: Key, port: number, found: (address: Address) => void, signal: AbortSignal): Promise<boolean> {
    await this.lookup(key, found, signal)
    const client = this.#client
    if (client === undefined || client.destroyed) return false
    const done = new Promise<boolean>((resolve) => {
      client.announce(Buffer.from(key), port, (error, accepted) => resolve(error === null && (accepted ?? 0) > 0))
    })
    return await untilAborted(done, signal)
  }

  async stop(): Promise<void> {
    const client = this.#client
    if (client !== undefined) await new Promise<void>((resolve) => client.destroy(resolve))
  }
}

import { createHash } from 'node:crypto'
import { untilAborted } from '@p2pl/core/backend'
import { Client, type DhtOptions } from 'bittorrent-dht'
import { formatAddress, type Address } from '../../tools/address.ts'
import { hexOf } from '../../tools/bytes.ts'
import type { Key } from '../keys.ts'
import type { ProfileGate } from '@p2pl/embedded'
import { isSigned, type Publisher } from './publisher.ts'
import { UdpSocket } from './udp.ts'

/** How long (ms) a node keeps a record. */
export const recordLifetime: number = 30 * 60_000
const queryTimeout = 1_000
const publicQueryTimeout = 2_000

/** A mutable item (BEP 44). */
export interface Item {
  /** At most 64 bytes. */
  readonly salt: Uint8Array
  /** Less than 1,000 bytes in bencoding. */
  readonly value: Readonly<Record<string, Uint8Array>>
}

export interface FoundItem {
  readonly value: unknown
  readonly sequence: number
}

export interface DhtInit {
  readonly nodeId: Uint8Array
  readonly gate: ProfileGate
  /** Nodes through which this node enters the DHT. */
  readonly bootstrap: readonly Address[]
  /** Whether the nodes are far away. */
  readonly wide: boolean
}

/** The mainline DHT (BEP 5), or one like it. */
export class Dht {
  readonly #options: DhtOptions
  readonly #watchers = new Map<string, Set<(address: Address) => void>>()
  readonly socket: UdpSocket
  #client: Client | undefined

  constructor({ nodeId, gate, bootstrap, wide }: DhtInit) {
    this.socket = new UdpSocket(gate)
    this.#options = {
      nodeId: Buffer.from(nodeId),
      bootstrap: bootstrap.length === 0 ? false : bootstrap.map(formatAddress),
      socket: this.socket,
      timeout: wide ? publicQueryTimeout : queryTimeout,
      maxAge: recordLifetime,
      maxPeers: 10_000,
      maxValues: 1_000,
      verify: isSigned
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

  /** Calls `found` for each record, for some of them several times. Resolves when no node is left to ask. */
  async lookup(key: Key, found: (address: Address) => void, signal: AbortSignal): Promise<void> {
    signal.throwIfAborted()
    const client = this.#client
    if (client === undefined || client.destroyed) return
    const name = hexOf(key)
    const watchers = this.#watchers.get(name) ?? new Set()
    this.#watchers.set(name, watchers)
    // A new function, because the same function may be passed twice.
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

  /**
   * Looks up and announces. Returns whether a node has taken the record. The library itself would not look up again for
   * minutes.
   */
  async announce(key: Key, port: number, found: (address: Address) => void, signal: AbortSignal): Promise<boolean> {
    await this.lookup(key, found, signal)
    const client = this.#client
    if (client === undefined || client.destroyed) return false
    const done = new Promise<boolean>((resolve) => {
      client.announce(Buffer.from(key), port, (error, accepted) => resolve(error === null && (accepted ?? 0) > 0))
    })
    return await untilAborted(done, signal)
  }

  /** Signs the item and puts it into the DHT. Returns whether a node has taken it. */
  async putItem({ salt, value }: Item, publisher: Publisher, signal: AbortSignal): Promise<boolean> {
    // This also gets new tokens from the nodes. The library keeps old ones for minutes, and nodes refuse those.
    const former = await this.getItem(publisher.publicKey, salt, signal)
    // Nodes refuse a number that is not larger than the previous one. This also works after the clock was set back.
    const sequence = Math.max(Math.floor(Date.now() / 1_000), (former?.sequence ?? 0) + 1)
    const client = this.#client
    if (client === undefined || client.destroyed) return false
    const item = {
      k: Buffer.from(publisher.publicKey),
      salt: Buffer.from(salt),
      seq: sequence,
      v: value,
      sign: (message: Uint8Array) => Buffer.from(publisher.sign(message))
    }
    const done = new Promise<boolean>((resolve) => {
      client.put(item, (error, _key, accepted) => resolve(error === null && (accepted ?? 0) > 0))
    })
    return await untilAborted(done, signal)
  }

  /** The newest value that is signed by the key. The publisher may have given it any shape. */
  async getItem(publicKey: Uint8Array, salt: Uint8Array, signal: AbortSignal): Promise<FoundItem | undefined> {
    signal.throwIfAborted()
    const client = this.#client
    if (client === undefined || client.destroyed) return undefined
    const key = createHash('sha1').update(publicKey).update(salt).digest()
    const done = new Promise<FoundItem | undefined>((resolve) => {
      client.get(key, { salt: Buffer.from(salt), cache: false }, (error, found) => {
        if (error !== null || found === null || found === undefined) return resolve(undefined)
        resolve({ value: found.v, sequence: Number.isSafeInteger(found.seq) ? Number(found.seq) : 0 })
      })
    })
    return await untilAborted(done, signal)
  }

  async stop(): Promise<void> {
    const client = this.#client
    if (client !== undefined) await new Promise<void>((resolve) => client.destroy(resolve))
  }
}

import { recordLifetime, type Dht } from '../overlay/rendezvous/dht.ts'
import type { Publisher } from '../overlay/rendezvous/publisher.ts'
import { hexOf } from '../tools/bytes.ts'
import { infoHashLength } from './metainfo/info.ts'

/** BEP 44: a salt has at most this many bytes. */
const maxSaltLength = 64
const renewalInterval: number = recordLifetime / 3
const renewalCheck = 5_000
const renewalsAtOnce = 4

interface Publication {
  readonly multihash: Uint8Array
  readonly infoHash: Uint8Array
  due: number
}

/**
 * Publishes in the DHT, signed, under which infohash a file is seeded: `{ ih: infohash }` (BEP 46) as a mutable item
 * (BEP 44) whose salt is the file's multihash. A peer that knows the publisher's key finds the torrent of a CID, even
 * when the publisher is gone. The DHT forgets items and the library does not renew them, so this class does.
 */
export class Publications {
  readonly #dht: Dht | undefined
  readonly #publisher: Publisher
  readonly #kept = new Map<string, Publication>()
  readonly #stopped = new AbortController()
  readonly #timer: NodeJS.Timeout
  #renewing = false

  constructor(dht: Dht | undefined, publisher: Publisher) {
    this.#dht = dht
    this.#publisher = publisher
    this.#timer = setInterval(() => void this.#renew(), renewalCheck).unref()
  }

  get publicKey(): Uint8Array {
    return this.#publisher.publicKey
  }

  /** Publishes the infohash repeatedly from now on, beginning soon. */
  keep(multihash: Uint8Array, infoHash: Uint8Array): void {
    if (this.#dht === undefined || multihash.byteLength > maxSaltLength) return
    this.#kept.set(hexOf(multihash), { multihash, infoHash, due: performance.now() })
    void this.#renew()
  }

  /** Stops publishing. The DHT forgets the item after its lifetime. */
  drop(multihash: Uint8Array): void {
    this.#kept.delete(hexOf(multihash))
  }

  /** The infohash that the publisher has named; `undefined` when no node that is asked knows of one. */
  async find(publicKey: Uint8Array, multihash: Uint8Array, signal: AbortSignal): Promise<Uint8Array | undefined> {
    if (multihash.byteLength > maxSaltLength) return undefined
    const item = await this.#dht?.getItem(publicKey, multihash, signal)
    const infoHash = (item?.value as { ih?: unknown } | undefined)?.ih
    const fits = infoHash instanceof Uint8Array && infoHash.byteLength === infoHashLength
    return fits ? new Uint8Array(infoHash) : undefined
  }

  stop(): void {
    clearInterval(this.#timer)
    this.#stopped.abort()
    this.#kept.clear()
  }

  async #renew(): Promise<void> {
    if (this.#renewing || this.#dht === undefined) return
    this.#renewing = true
    try {
      const now = performance.now()
      const due = [...this.#kept.values()].filter((publication) => publication.due <= now)
      const next = async (): Promise<void> => {
        for (let each = due.pop(); each !== undefined; each = due.pop()) {
          const taken = await this.#put(each).catch(() => false)
          each.due = performance.now() + (taken ? renewalInterval : renewalCheck)
        }
      }
      await Promise.all(Array.from({ length: renewalsAtOnce }, next))
    } finally {
      this.#renewing = false
    }
  }

  async #put({ multihash, infoHash }: Publication): Promise<boolean> {
    const item = { salt: multihash, value: { ih: Buffer.from(infoHash) } }
    return (await this.#dht?.putItem(item, this.#publisher, this.#stopped.signal)) ?? false
  }
}

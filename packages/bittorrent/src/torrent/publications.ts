import { hexOf } from '../bytes.ts'
import { recordLifetime, type Dht } from '../engine/dht.ts'
import type { Publisher } from '../engine/publisher.ts'
import { infoHashLength } from './info.ts'

/** BEP 44: a salt has at most so many bytes. */
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
 * Says in the DHT under which infohash a file is seeded, signed: `{ ih: infohash }` (BEP 46) as a mutable item (BEP 44) whose
 * salt is the file's multihash. Whoever knows the publisher's key finds the torrent of a CID, also when the publisher is gone.
 * The DHT forgets, and the library does not remind it: this does.
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

  /** From now on, beginning soon. */
  keep(multihash: Uint8Array, infoHash: Uint8Array): void {
    if (this.#dht === undefined || multihash.byteLength > maxSaltLength) return
    this.#kept.set(hexOf(multihash), { multihash, infoHash, due: performance.now() })
    void this.#renew()
  }

  /** It is not said again; what was said is forgotten within its lifetime. */
  drop(multihash: Uint8Array): void {
    this.#kept.delete(hexOf(multihash))
  }

  /** What the publisher says. `undefined` when nobody who is asked knows of it. */
  async find(publicKey: Uint8Array, multihash: Uint8Array, signal: AbortSignal): Promise<Uint8Array | undefined> {
    if (multihash.byteLength > maxSaltLength) return undefined
    const value = await this.#dht?.getItem(publicKey, multihash, signal)
    const infoHash = (value as { ih?: unknown } | undefined)?.ih
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
    // Nodes refuse a number that is not larger than the one before, even with the same value: seconds are, over restarts too.
    const sequence = Math.floor(Date.now() / 1_000)
    const item = { salt: multihash, value: { ih: Buffer.from(infoHash) }, sequence }
    return (await this.#dht?.putItem(item, this.#publisher, this.#stopped.signal)) ?? false
  }
}

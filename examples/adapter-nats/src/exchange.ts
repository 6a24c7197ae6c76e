import type { JetStreamManager } from '@nats-io/jetstream'
import { backoff, type Block, sleep, Slots, untilAborted, verifyBlock } from '@p2pl/core/backend'
import { bucketOf, indexOf, nameOf } from './bucket.ts'
import { maxBlockBytes } from './capabilities.ts'
import type { Connection } from './connection.ts'
import { isDenied } from './errors.ts'
import { readObject } from './objects.ts'
import { peerOf, type Subjects } from './subjects.ts'

const pauses = { first: 500, longest: 5_000, jitter: 0.5 }
const readsAtOnce = 4
const maxWaiting = 64

export interface ExchangeOptions {
  readonly connection: Connection
  readonly manager: JetStreamManager
  readonly subjects: Subjects
  readonly network: string
  readonly id: string
}

/** Blocks from the buckets of other peers, whether or not those run. The index says which have a block, and any client may write into it. */
export class Exchange {
  readonly #options: ExchangeOptions

  constructor(options: ExchangeOptions) {
    this.#options = options
  }

  /** Looks for the block, and waits for it, until the signal fires. */
  async want(cid: Block['cid'], signal: AbortSignal): Promise<Uint8Array> {
    const { connection, subjects } = this.#options
    const { promise: announced, resolve } = Promise.withResolvers<Uint8Array>()
    const ended = new AbortController()
    const slots = new Slots(readsAtOnce)
    const take = async (subject: string): Promise<void> => {
      const read = async (): Promise<Uint8Array | undefined> => await this.#read(cid, peerOf(subject))
      const bytes = await slots.run(read, ended.signal).catch(() => undefined)
      if (bytes !== undefined) resolve(bytes)
    }
    const subscription = connection.nc.subscribe(subjects.have(nameOf(cid.multihash.bytes), '*'), {
      callback: (error, { subject }) => {
        // The search asks again for those that do not fit.
        if (error === null && slots.waiting < maxWaiting) void take(subject)
      }
    })
    try {
      const searched = this.#search(cid, AbortSignal.any([signal, ended.signal]))
      return await untilAborted(Promise.race([announced, searched]), signal)
    } finally {
      ended.abort()
      subscription.unsubscribe()
    }
  }

  async #search(cid: Block['cid'], signal: AbortSignal): Promise<Uint8Array> {
    for (let attempt = 1; ; attempt++) {
      try {
        for await (const id of this.#holders(cid, signal)) {
          const bytes = await this.#read(cid, id)
          if (bytes !== undefined) return bytes
        }
      } catch (error) {
        if (isDenied(error)) throw error
        // The server cannot be reached now.
      }
      await sleep(backoff(pauses, attempt), { signal })
    }
  }

  /** One entry at a time: a stranger may have written any number. */
  async *#holders(cid: Block['cid'], signal: AbortSignal): AsyncGenerator<string | undefined, void, undefined> {
    const { connection, manager, network, subjects } = this.#options
    const subject = subjects.have(nameOf(cid.multihash.bytes), '*')
    for (let seq = 1; ;) {
      const query = { seq, next_by_subj: subject }
      const entry = await connection.call(async () => await manager.direct.getMessage(indexOf(network), query), signal)
      if (entry === null) return
      yield peerOf(entry.subject)
      seq = entry.seq + 1
    }
  }

  /** The block from the bucket of a peer; `undefined` where that has other bytes, or none. */
  async #read(cid: Block['cid'], id: string | undefined): Promise<Uint8Array | undefined> {
    const { connection, manager, network, id: self } = this.#options
    if (id === undefined || id === self) return undefined
    try {
      const name = nameOf(cid.multihash.bytes)
      const read = async (): Promise<Uint8Array | undefined> =>
        await readObject(manager, bucketOf(network, id), name, maxBlockBytes)
      const bytes = await connection.call(read)
      if (bytes !== undefined) await verifyBlock(cid, bytes, 'blocks.get', 'nats')
      return bytes
    } catch {
      return undefined
    }
  }
}

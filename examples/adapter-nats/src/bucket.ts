import {
  DiscardPolicy,
  JetStreamApiError,
  jetstream,
  type JetStreamClient,
  type JetStreamManager,
  type StreamConfig,
  type StreamInfo
} from '@nats-io/jetstream'
import { Empty } from '@nats-io/transport-node'
import { KeyedQueue, Slots, untilAborted } from '@p2pl/core/backend'
import type { Change, Table } from '@p2pl/embedded'
import { Buffer } from 'node:buffer'
import { maxBlockBytes } from './capabilities.ts'
import type { Connection } from './connection.ts'
import { chunksOf, infoOf, nameIn, readInfo, readObject, streamOf, writeObject } from './objects.ts'
import type { Settings } from './options.ts'
import type { Subjects } from './subjects.ts'

const requestsAtOnce = 64
const inUse = 10_058

/** How a block is called in buckets and subjects. */
export const nameOf = (multihash: Uint8Array): string => Buffer.from(multihash).toString('hex')
export const bucketOf = (network: string, id: string): string => `${network}-${id}`
export const indexOf = (network: string): string => `${network}-have`

/** The blocks of this peer: a bucket of its own on the server, and an entry for each block in the index that all peers share. */
export class Bucket implements Table {
  readonly manager: JetStreamManager
  readonly #connection: Connection
  readonly #js: JetStreamClient
  readonly #name: string
  readonly #index: string
  readonly #have: (block: string) => string
  /** One change of a block at a time: the library would leave bytes behind. */
  readonly #queue = new KeyedQueue()
  readonly #slots = new Slots(requestsAtOnce)

  private constructor(
    connection: Connection,
    js: JetStreamClient,
    manager: JetStreamManager,
    names: { readonly bucket: string; readonly index: string; readonly have: (block: string) => string }
  ) {
    this.#connection = connection
    this.#js = js
    this.manager = manager
    this.#name = names.bucket
    this.#index = names.index
    this.#have = names.have
  }

  /** Opens the bucket, and makes it where there is none. */
  static async open(connection: Connection, settings: Settings, subjects: Subjects, id: string): Promise<Bucket> {
    const { maxBytes, network, replicas } = settings
    const js = jetstream(connection.nc)
    const manager = await js.jetstreamManager()
    const [bucket, index] = [bucketOf(network, id), indexOf(network)]
    const make = async (config: Partial<StreamConfig> & { readonly name: string }): Promise<StreamInfo> =>
      await manager.streams
        .add({ discard: DiscardPolicy.New, allow_direct: true, num_replicas: replicas, ...config })
        .catch(async (error: unknown) => {
          // It is there, with other replicas or limits.
          if (!(error instanceof JetStreamApiError && error.code === inUse)) throw error
          return await manager.streams.info(config.name)
        })
    await make({ name: index, subjects: [subjects.have('*', '*')], max_msgs_per_subject: 1, allow_msg_ttl: true })
    const { config } = await make({
      name: streamOf(bucket),
      subjects: [chunksOf(bucket, '>'), `$O.${bucket}.M.>`],
      allow_rollup_hdrs: true,
      max_bytes: maxBytes
    })
    if (config.max_bytes !== maxBytes) await manager.streams.update(config.name, { max_bytes: maxBytes })
    const have = (block: string): string => subjects.have(block, id)
    return new Bucket(connection, js, manager, { bucket, index, have })
  }

  async get(key: Uint8Array): Promise<Uint8Array | undefined> {
    return await this.#run(async () => await readObject(this.manager, this.#name, nameOf(key), maxBlockBytes))
  }

  async getSound(key: Uint8Array): Promise<Uint8Array | undefined> {
    return await this.get(key)
  }

  async has(key: Uint8Array): Promise<boolean> {
    return (await this.length(key)) !== undefined
  }

  async length(key: Uint8Array): Promise<number | undefined> {
    return (await this.#run(async () => await readInfo(this.manager, this.#name, nameOf(key))))?.size
  }

  async write(changes: readonly Change[]): Promise<void> {
    await Promise.all(
      changes.map(async ({ key, value }) => {
        const name = nameOf(key)
        await this.#queue.run(name, async () => {
          await this.#run(async () => await (value === undefined ? this.#remove(name) : this.#put(name, value)))
        })
      })
    )
  }

  async *keys(): AsyncGenerator<Uint8Array, void, undefined> {
    const filter = { subjects_filter: `$O.${this.#name}.M.>` }
    const { state } = await this.#run(async () => await this.manager.streams.info(streamOf(this.#name), filter))
    for (const subject of Object.keys(state.subjects ?? {})) {
      const name = nameIn(subject)
      // A person may keep other things there.
      if (/^(?:[0-9a-f]{2})+$/.test(name)) yield new Uint8Array(Buffer.from(name, 'hex'))
    }
  }

  async size(): Promise<number> {
    return 0
  }

  reclaim(): void {}

  async sweep(): Promise<void> {}

  /** Nothing of this peer stays on the server, as far as it has the permissions. */
  async destroy(): Promise<void> {
    await this.#run(async () => await this.manager.streams.purge(this.#index, { filter: this.#have('*') }))
    await this.#run(async () => await this.manager.streams.delete(streamOf(this.#name)))
  }

  async #put(name: string, value: Uint8Array): Promise<void> {
    const maxPayload = this.#connection.nc.info?.max_payload ?? value.byteLength
    await writeObject({ js: this.#js, manager: this.manager, maxPayload }, this.#name, name, value)
    // Last, so that a peer that hears of the block can have it.
    await this.#js.publish(this.#have(name))
  }

  async #remove(name: string): Promise<void> {
    const [bucket, stream] = [this.#name, streamOf(this.#name)]
    const info = await readInfo(this.manager, bucket, name)
    const stored = await this.#last(stream, infoOf(bucket, name))
    await this.#withdraw(name)
    // What is written later has a higher number: a request may reach the server long after the connection broke.
    if (stored !== undefined)
      await this.manager.streams.purge(stream, { filter: infoOf(bucket, name), seq: stored + 1 })
    if (info !== undefined) await this.manager.streams.purge(stream, { filter: chunksOf(bucket, info.nuid) })
  }

  /** Puts an entry that expires in place of the one in the index: a peer needs no permission to purge entries of others. */
  async #withdraw(name: string): Promise<void> {
    const lastSubjectSequence = await this.#last(this.#index, this.#have(name))
    if (lastSubjectSequence === undefined) return
    await this.#js.publish(this.#have(name), Empty, { ttl: '1s', expect: { lastSubjectSequence } })
  }

  /** The number of the last message of a subject. */
  async #last(stream: string, subject: string): Promise<number | undefined> {
    return (await this.manager.direct.getMessage(stream, { last_by_subj: subject }))?.seq
  }

  async #run<T>(work: () => Promise<T>): Promise<T> {
    return await this.#connection.call(
      async (life) => await this.#slots.run(async () => await untilAborted(work(), life), life)
    )
  }
}

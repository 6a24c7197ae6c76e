import type { Breather, FairSlots } from '@p2pl/core/backend'
import {
  blockHeaderBytes,
  BreachError,
  type Entry,
  entriesOf,
  idsFrame,
  idsOf,
  Kind,
  limits,
  writeBlockHeader
} from './frames.ts'
import type { Pipe } from './pipe.ts'

/** The source of blocks for others. */
export interface BlockSource {
  get(multihash: Uint8Array): Promise<Uint8Array | undefined>
  has(multihash: Uint8Array): Promise<boolean>
}

/** Resources that the servers of all channels share. */
export interface Serving {
  readonly source: BlockSource
  readonly breather: Breather
  readonly slots: FairSlots
}

/** How many bytes are read at once for one peer. Twice as many are in memory while the previous portion is being sent. */
const portionBytes = 1024 * 1024
const mostAtOnce = 128
/** Blocks up to this size are copied into one buffer, so that they are sent in few large pieces. */
const smallBlock = 16 * 1024

interface Answer {
  readonly id: number
  readonly bytes: Uint8Array | undefined
}

/** Answers the wants of one channel, in portions: it reads the next portion while it sends the last one. */
export class Server {
  readonly #peer: string
  readonly #pipe: Pipe
  readonly #serving: Serving
  readonly #waiting = new Map<number, Entry>()
  /** Wants whose blocks were read but not sent yet. A cancel removes them. */
  readonly #read = new Set<number>()
  readonly #asked = new Map<number, Entry>()
  #running = false
  #averageBytes = 64 * 1024

  constructor(peer: string, pipe: Pipe, serving: Serving) {
    this.#peer = peer
    this.#pipe = pipe
    this.#serving = serving
  }

  get busy(): boolean {
    return this.#running
  }

  frame(kind: number, body: Uint8Array): void {
    if (kind === Kind.cancel) {
      for (const id of idsOf(body)) {
        this.#waiting.delete(id)
        this.#read.delete(id)
      }
      return
    }
    const into = kind === Kind.want ? this.#waiting : this.#asked
    for (const entry of entriesOf(body)) {
      if (this.#waiting.size + this.#read.size + this.#asked.size >= limits.wants)
        throw new BreachError('the peer wants more at once than it may')
      into.set(entry.id, entry)
    }
    if (this.#running) return
    this.#running = true
    void this.#run()
  }

  async #run(): Promise<void> {
    try {
      let ahead = this.#portion()
      while (ahead !== undefined || this.#asked.size > 0) {
        if (this.#asked.size > 0) await this.#tell()
        const answers = await ahead
        ahead = this.#portion()
        if (answers !== undefined) await this.#send(answers)
        ahead ??= this.#portion()
      }
    } catch (error) {
      this.#pipe.abort(asError(error))
    } finally {
      this.#running = false
    }
  }

  #portion(): Promise<Answer[]> | undefined {
    if (this.#waiting.size === 0) return undefined
    const count = Math.min(mostAtOnce, Math.max(1, Math.floor(portionBytes / this.#averageBytes)))
    const entries: Entry[] = []
    for (const [id, entry] of this.#waiting) {
      entries.push(entry)
      this.#waiting.delete(id)
      this.#read.add(id)
      if (entries.length === count) break
    }
    const answers = this.#load(entries)
    // It is awaited later; until then a failure must not count as unhandled.
    answers.catch(() => undefined)
    return answers
  }

  async #load(entries: readonly Entry[]): Promise<Answer[]> {
    const { slots, breather, source } = this.#serving
    await breather.before(0, entries.length)
    const answers = await slots.run(this.#peer, async () => {
      const wanted = entries.filter(({ id }) => this.#read.has(id))
      return await Promise.all(wanted.map(async ({ id, multihash }) => ({ id, bytes: await source.get(multihash) })))
    })
    let bytes = 0
    for (const answer of answers) bytes += answer.bytes?.byteLength ?? 0
    if (bytes > 0) this.#averageBytes = Math.max(256, (this.#averageBytes + bytes / answers.length) / 2)
    await breather.before(bytes, 0)
    return answers
  }

  async #send(answers: readonly Answer[]): Promise<void> {
    const missing: number[] = []
    const parts: Uint8Array[] = []
    let together = 0
    const wanted = answers.filter(({ id }) => this.#read.delete(id))
    for (const { bytes } of wanted)
      if (bytes !== undefined) together += blockHeaderBytes + (bytes.byteLength <= smallBlock ? bytes.byteLength : 0)
    const buffer = new Uint8Array(together)
    let from = 0
    let to = 0
    for (const { id, bytes } of wanted) {
      if (bytes === undefined || bytes.byteLength > limits.blockBytes) {
        missing.push(id)
        continue
      }
      writeBlockHeader(buffer, to, id, bytes.byteLength)
      to += blockHeaderBytes
      if (bytes.byteLength <= smallBlock) {
        buffer.set(bytes, to)
        to += bytes.byteLength
      } else {
        parts.push(buffer.subarray(from, to), bytes)
        from = to
      }
    }
    if (to > from) parts.push(buffer.subarray(from, to))
    if (missing.length > 0) parts.push(idsFrame(Kind.missing, missing))
    if (parts.length > 0 && !this.#pipe.send(parts)) await this.#pipe.drained()
  }

  async #tell(): Promise<void> {
    const { slots, breather, source } = this.#serving
    const entries = [...this.#asked.values()].slice(0, mostAtOnce)
    for (const { id } of entries) this.#asked.delete(id)
    await breather.before(0, entries.length)
    const found = await slots.run(
      this.#peer,
      async () => await Promise.all(entries.map(({ multihash }) => source.has(multihash)))
    )
    const idsWhere = (has: boolean): number[] => entries.filter((_, i) => found[i] === has).map(({ id }) => id)
    const have = idsWhere(true)
    const missing = idsWhere(false)
    const parts = []
    if (have.length > 0) parts.push(idsFrame(Kind.have, have))
    if (missing.length > 0) parts.push(idsFrame(Kind.missing, missing))
    if (!this.#pipe.send(parts)) await this.#pipe.drained()
  }
}

export function asError(error: unknown): Error {
  return error instanceof Error ? error : new Error(String(error))
}

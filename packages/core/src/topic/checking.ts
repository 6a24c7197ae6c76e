import type { Clock } from '../clock.ts'
import type { Verdict } from '../port/messages.ts'
import type { OpenedEnvelope } from '../envelope/envelope.ts'

export interface CheckingOptions {
  readonly clock: Clock
  readonly maxBytes: number
  readonly open: (payload: Uint8Array) => Promise<OpenedEnvelope>
  /** Takes opened envelopes, in the order of arrival for each source, and returns the verdict. */
  readonly use: (opened: OpenedEnvelope) => Verdict
  readonly onOverload: () => void
}

interface Waiting {
  readonly payload: Uint8Array
  readonly resolve: (verdict: Verdict) => void
}

interface Source {
  readonly name: string
  readonly queue: Waiting[]
  bytes: number
  checks: number
  /** Results are used in the order of arrival. */
  order: Promise<unknown>
}

/** Maximum number of checks at the same time: enough for all cores, and few enough to keep a turn of the event loop short. */
const maxChecks = 32
/** An empty envelope costs memory, too. */
const overhead = 64
/** Bytes that are decoded in one turn of the event loop, and the least that an envelope counts. */
const turnBytes = 512 * 1024
const leastWork = 512
/** Sources with their own share. Later sources share one, so that dropping an envelope looks at a bounded number of sources. */
const maxSources = 1_024

/**
 * Envelopes that wait to be checked, grouped by the peer that published them. Sources take turns. When there is no room,
 * the source with the most waiting bytes loses an envelope, so a flood pushes out its own envelopes.
 */
export class Checking {
  readonly #options: CheckingOptions
  readonly #sources = new Map<string, Source>()
  /** Sources with waiting envelopes, in the order of their turns. */
  readonly #ready = new Set<Source>()
  #bytes = 0
  #checks = 0
  /** Bytes decoded so far in this turn of the event loop. */
  #worked = 0

  constructor(options: CheckingOptions) {
    this.#options = options
  }

  /** How many sources have envelopes that wait or are being checked. */
  get sources(): number {
    return this.#sources.size
  }

  /** Resolves with the verdict once the envelope has been used, or has lost its place. */
  add(from: string, payload: Uint8Array): Promise<Verdict> {
    return new Promise((resolve) => {
      const name = this.#sources.has(from) || this.#sources.size < maxSources ? from : ''
      const source = this.#sources.get(name) ?? { name, queue: [], bytes: 0, checks: 0, order: Promise.resolve() }
      this.#sources.set(name, source)
      source.queue.push({ payload, resolve })
      this.#ready.add(source)
      this.#count(source, payload.byteLength + overhead)
      while (this.#bytes > this.#options.maxBytes && this.#dropOne()) this.#options.onOverload()
      this.#advance()
    })
  }

  #count(source: Source, bytes: number): void {
    source.bytes += bytes
    this.#bytes += bytes
  }

  /** Drops the newest envelope of the source with the most waiting bytes. */
  #dropOne(): boolean {
    let largest: Source | undefined
    for (const source of this.#ready) if (largest === undefined || source.bytes > largest.bytes) largest = source
    const lost = largest?.queue.pop()
    if (largest === undefined || lost === undefined) return false
    this.#count(largest, -lost.payload.byteLength - overhead)
    if (largest.queue.length === 0) this.#ready.delete(largest)
    this.#forget(largest)
    lost.resolve('ignore')
    return true
  }

  #advance(): void {
    while (this.#checks < maxChecks && this.#worked < turnBytes) {
      const [source] = this.#ready
      const waiting = source?.queue.shift()
      if (source === undefined || waiting === undefined) return
      this.#ready.delete(source)
      if (source.queue.length > 0) this.#ready.add(source)
      this.#count(source, -waiting.payload.byteLength - overhead)
      this.#check(source, waiting)
    }
  }

  #check(source: Source, { payload, resolve }: Waiting): void {
    this.#work(Math.max(leastWork, payload.byteLength))
    this.#checks++
    source.checks++
    const opened = this.#options.open(payload)
    source.order = source.order.then(async () => {
      try {
        resolve(this.#options.use(await opened))
      } catch {
        resolve('ignore')
      } finally {
        this.#checks--
        source.checks--
        this.#forget(source)
        this.#advance()
      }
    })
  }

  /** Garbage is decoded without any wait, so a flood of it would hold up everything else. */
  #work(bytes: number): void {
    if (this.#worked === 0) {
      this.#options.clock.nextTurn(() => {
        this.#worked = 0
        this.#advance()
      })
    }
    this.#worked += bytes
  }

  #forget(source: Source): void {
    if (source.checks === 0 && source.queue.length === 0) this.#sources.delete(source.name)
  }
}

import type { CID } from 'multiformats/cid'
import type { Environment } from '../api/peer.ts'
import type { WillingPeer } from '../api/receipts.ts'
import type { Topic } from '../api/topic.ts'
import { Calls } from '../data/calls.ts'
import type { DataContext } from '../data/context.ts'
import type { Attempt, Question, Reacher, Wanted } from '../data/reach.ts'
import { errorMessage, unsupported } from '../errors.ts'
import type { Identity } from '../identity.ts'
import { backoff } from '../toolbox/backoff.ts'
import { BoundedMap } from '../toolbox/bounded-map.ts'
import { equalBytes } from '../toolbox/bytes.ts'
import type { Countdown } from '../toolbox/countdown.ts'
import { sleep } from '../toolbox/sleep.ts'
import { nonceLength } from './acknowledgement.ts'
import { Channel } from './channel.ts'
import { type Dag, maxBlocks, readDag } from './dag.ts'
import { Keeping } from './keeping.ts'
import { KeptContent } from './kept.ts'
import { Possession } from './possession.ts'
import { Reaching } from './reaching.ts'
import { KeptRecords } from './records.ts'
import type { KeepSettings, ReceiptSettings } from './settings.ts'
import { maxNamed, type Note, wholeShare } from './wire.ts'

/** Peers that have passed a challenge. They are asked first the next time. */
const maxProven = 1_024
/** Maximum number of answers that one call takes. */
const maxWilling = 1_024
/** Blocks that are read at the same time to list a DAG. */
const parallel = 8
/** A default timeout starts only after the time that the content takes at this speed, in bytes per millisecond. */
const slowest = 256
const pauses = { first: 1_000, longest: 60_000 } as const

export interface ReceiptParts {
  readonly settings: ReceiptSettings
  readonly identity: Identity
  readonly environment: Environment
  readonly data: DataContext
  readonly topic: (name: string) => Topic
}

/** `undefined` if the peer has no messages or no blocks. Throws in that case if the peer is to keep content for others. */
export async function openReceipts(parts: ReceiptParts): Promise<Receipts | undefined> {
  const { backend } = parts.data
  const { messages, blocks } = backend.capabilities
  if (messages === undefined || blocks === undefined) {
    if (parts.settings.keep === undefined) return undefined
    throw unsupported(backend.name, 'receipts.keep', 'it needs messages and blocks: give createPeer backends for both')
  }
  const receipts = new Receipts(parts)
  await receipts.start()
  return receipts
}

/** Acknowledgements of content: gives them and collects them. */
export class Receipts implements Reacher {
  readonly #parts: ReceiptParts
  readonly #calls: Calls
  readonly #channel: Channel
  readonly #kept: KeptContent | undefined
  readonly #keeping: Keeping | undefined
  readonly #proven = new BoundedMap<string, true>(maxProven)
  #crowd = 0

  constructor(parts: ReceiptParts) {
    this.#parts = parts
    this.#calls = new Calls(parts.data)
    this.#channel = new Channel(() => parts.topic(parts.settings.topic))
    const { keep } = parts.settings
    if (keep === undefined) return
    this.#kept = this.#keptContent(keep)
    this.#keeping = this.#keeper(keep, this.#kept)
  }

  /** Resolves when the records of kept content are loaded. From then on other peers get answers. */
  async start(): Promise<void> {
    await this.#kept?.load()
    void this.#listen()
  }

  async reach(cid: CID, wanted: Wanted, countdown: Countdown, attempt: Attempt): Promise<void> {
    const { operation, replicas, challenge, peers, fetch, patient } = wanted
    const { identity, environment, data } = this.#parts
    const { clock } = environment
    const fetcher = this.#calls.fetcher(operation, undefined, countdown, cid)
    const read = async (block: CID): Promise<Uint8Array> => {
      const bytes = await fetcher(block)
      countdown.renew()
      return bytes
    }
    const limits = { bytes: Infinity, blocks: maxBlocks }
    const dag: Dag = await readDag(cid, { operation, parallel, limits, clock, read })
    const waiting = `${replicas} other peers are to have it, and 0 have acknowledged`
    const reaching = new Reaching(
      { operation, cid, dag, replicas, challenge, peers, fetch },
      {
        id: identity.id,
        environment,
        channel: this.#channel,
        nonce: this.#nonce(),
        self: () => data.backend.self(),
        crowd: this.#crowd,
        proven: {
          has: (peer) => this.#proven.has(peer),
          passed: (peer) => {
            this.#proven.set(peer, true)
          },
          failed: (peer) => {
            this.#proven.delete(peer)
          }
        },
        read: fetcher,
        onAnswer: (heard) => {
          attempt.heard = heard
        },
        onAcknowledgement: (acknowledgement) => {
          attempt.acknowledgements.push(acknowledgement)
          countdown.renew()
          countdown.waitsFor(
            `${replicas} other peers are to have it, and ${attempt.acknowledgements.length} have acknowledged`
          )
        }
      }
    )
    countdown.waitsFor(waiting)
    const patience = patient
      ? clock.setTimeout(() => countdown.resume(), dag.bytes / slowest, { hold: true })
      : undefined
    if (patient) countdown.pause()
    try {
      await reaching.run(countdown.signal)
    } finally {
      clock.clearTimeout(patience)
      if (reaching.wholeCrowd) this.#crowd = reaching.heard
    }
  }

  async willing({ cid, bytes, within }: Question, signal: AbortSignal): Promise<WillingPeer[]> {
    const nonce = this.#nonce()
    const { identity, environment } = this.#parts
    const found = new Map<string, WillingPeer>()
    const leave = await this.#channel.listen((peer: string, note: Note) => {
      if (note.kind !== 'offer' || note.to !== identity.id || !equalBytes(note.nonce, nonce)) return
      if (found.size < maxWilling) found.set(peer, { peer, has: note.has, free: note.free })
    })
    try {
      // Sent again if no answer comes, since a note may get lost.
      for (let time = 0; time < 2; time++) {
        if (found.size === 0) this.#channel.send({ kind: 'call', nonce, cid, bytes, share: wholeShare })
        await sleep(within / 2, { clock: environment.clock, signal, hold: true })
      }
    } finally {
      leave()
    }
    this.#crowd = found.size
    return [...found.values()]
  }

  async release(cid: CID, peers: readonly string[], signal: AbortSignal): Promise<void> {
    const leave = await this.#channel.listen(() => undefined)
    try {
      for (let at = 0; at < peers.length; at += maxNamed) {
        const to = peers.slice(at, at + maxNamed)
        await this.#channel.deliver({ kind: 'release', nonce: undefined, to, cid }, signal)
      }
    } finally {
      leave()
    }
  }

  /** The app has stored the block. */
  stored(cid: CID): void {
    this.#kept?.stored(cid)
  }

  pinned(cid: CID): void {
    this.#kept?.pinned(cid)
  }

  unpinned(cid: CID): void {
    this.#kept?.unpinned(cid).catch(this.#onError)
  }

  collected(): void {
    this.#kept?.collected()
  }

  stop(): void {
    this.#kept?.stop()
    this.#calls.stop()
  }

  #keptContent(settings: KeepSettings): KeptContent {
    const { data, environment } = this.#parts
    const { backend } = data
    const { transport, capabilities } = this.#calls.blocks('receipts.keep')
    if (capabilities.pins === 'none') throw unsupported(backend.name, 'receipts.keep', 'it has no pins')
    const store = settings.records ?? backend.secrets
    if (capabilities.persistence !== 'none' && store === undefined) {
      throw unsupported(
        backend.name,
        'receipts.keep',
        'its content outlives the peer, and it has no folder to remember what is kept for others: give it one, or receipts.keep.records'
      )
    }
    const records = new KeptRecords(store)
    return new KeptContent({
      settings,
      clock: environment.clock,
      transport,
      records,
      signal: this.#calls.life,
      onError: this.#onError
    })
  }

  #keeper(settings: KeepSettings, kept: KeptContent): Keeping {
    const { identity, environment } = this.#parts
    const calls = this.#calls
    const { transport } = calls.blocks('receipts.keep')
    return new Keeping({
      settings,
      identity,
      environment,
      channel: this.#channel,
      kept,
      possession: new Possession({ calls, identity, environment, kept }),
      has: async (cid) => await transport.has(cid, { signal: calls.life }),
      signal: calls.life
    })
  }

  /** Never rejects. Retries if the topic cannot be joined. */
  async #listen(): Promise<void> {
    const { clock } = this.#parts.environment
    const { life } = this.#calls
    for (let attempts = 1; this.#keeping !== undefined && !life.aborted; attempts++) {
      try {
        await this.#channel.listen(this.#keeping.listen)
        return
      } catch (error) {
        if (attempts === 1) this.#onError(error)
        await sleep(backoff(pauses, attempts), { clock, signal: life }).catch(() => undefined)
      }
    }
  }

  readonly #onError = (error: unknown): void => {
    if (this.#calls.life.aborted) return
    const { backend, onEvent } = this.#parts.data
    const message = errorMessage(error)
    onEvent({ type: 'warning', backend: backend.name, message: `keeping content for others: ${message}` })
  }

  #nonce(): Uint8Array {
    const { random } = this.#parts.environment
    // Only the simulator replaces `random`, and everything must be repeatable there.
    if (random === Math.random) return crypto.getRandomValues(new Uint8Array(nonceLength))
    return Uint8Array.from({ length: nonceLength }, () => Math.floor(random() * 256))
  }
}

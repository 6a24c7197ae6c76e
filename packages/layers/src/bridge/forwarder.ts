import { ed25519 } from '@p2pl/core'
import {
  type Block,
  bytesKey,
  type Envelope,
  type IncomingMessage,
  type Joined,
  openEnvelope,
  type Verdict
} from '@p2pl/core/backend'
import type { Leg } from '../legs/leg.ts'
import type { Legs, LegsWatcher } from '../legs/legs.ts'
import { Budget } from './budget.ts'
import type { Carrier } from './carrier.ts'
import { Crossed } from './crossed.ts'
import { Outbox } from './outbox.ts'

/** The same number of messages that core accepts in one envelope. */
const maxMessagesPerEnvelope = 1_024
/** Maximum number of messages whose signatures are being checked. */
const maxChecks = 256
/** Maximum number of messages that wait to see whether another bridge is first. */
const maxDelayed = 1_024
/** A bridge that has not met another one for this many milliseconds forwards without delay. */
const aloneAfter = 60_000

/** A message on its way across. */
export interface BridgedMessage {
  readonly topic: string
  readonly payload: Uint8Array
}

export interface ForwarderOptions {
  readonly legs: Legs
  readonly topics: readonly string[]
  readonly signal: AbortSignal
  readonly carrier: Carrier | undefined
  readonly content: ((message: BridgedMessage) => Iterable<Block['cid']>) | undefined
  readonly bytesPerSecond: number
  readonly spread: number
  readonly random: () => number
  readonly onWarning: (message: string) => void
}

/** Carries the messages of some topics from each leg to the other, each once. */
export class Forwarder implements LegsWatcher {
  readonly #options: ForwarderOptions
  readonly #budget: Budget
  readonly #crossed = new Crossed<Leg>()
  readonly #outboxes: ReadonlyMap<Leg, Outbox>
  readonly #encoded: ReadonlyMap<string, Uint8Array>
  /** The start of the leg under which each topic was joined, by leg and topic. */
  readonly #joined = new Map<string, { readonly starts: number; readonly handle: Promise<Joined | undefined> }>()
  #checks = 0
  #delayed = 0
  #rivalAt: number

  constructor(options: ForwarderOptions) {
    const { legs, topics, signal, bytesPerSecond } = options
    this.#options = options
    this.#budget = new Budget(legs.clock, bytesPerSecond)
    this.#outboxes = new Map(legs.all.map((leg) => [leg, new Outbox(legs, leg, signal)]))
    this.#encoded = new Map(topics.map((topic) => [topic, new TextEncoder().encode(topic)]))
    this.#rivalAt = legs.clock.now()
  }

  /** Resolves when the topics are joined on all legs that work. */
  async open(): Promise<void> {
    this.#options.legs.watch(this)
    await Promise.all(this.#options.legs.up.map(async (leg) => await this.#join(leg)))
  }

  up(leg: Leg): void {
    void this.#join(leg)
  }

  left(): void {
    // The leg is joined again after its next start.
  }

  /** Never rejects. */
  async #join(leg: Leg): Promise<void> {
    const { legs, topics, signal, onWarning } = this.#options
    await Promise.all(
      topics.map(async (topic) => {
        const key = `${leg.name}/${topic}`
        if (this.#joined.get(key)?.starts === leg.starts) return
        const handle = legs.run(leg, 'messages.subscribe', { signal }, async (options) =>
          leg.backend.messages?.subscribe(
            topic,
            { message: (message) => this.#receive(leg, topic, message), gap: () => undefined },
            options
          )
        )
        this.#joined.set(key, { starts: leg.starts, handle })
        try {
          await handle
        } catch (error) {
          this.#joined.delete(key)
          if (!signal.aborted) onWarning(`"${topic}" is not bridged from ${leg.name}: ${(error as Error).message}`)
        }
      })
    )
  }

  async #receive(from: Leg, topic: string, { payload, from: id }: IncomingMessage): Promise<Verdict> {
    const { signal } = this.#options
    if (signal.aborted || this.#checks >= maxChecks) return 'accept'
    const encoded = this.#encoded.get(topic) as Uint8Array
    this.#checks++
    // The engine may reuse the bytes.
    const bytes = new Uint8Array(payload)
    const opened = await openEnvelope(encoded, bytes, maxMessagesPerEnvelope, ed25519).finally(() => {
      this.#checks--
    })
    if (opened === 'forged') return 'reject'
    // Not an envelope, so the topic is unsigned. Its sender is the one that the engine names.
    const sender = opened === 'garbage' ? `${from.name}/${id ?? ''}` : bytesKey(opened.publicKey)
    const ids = opened === 'garbage' ? [await digestOf(topic, bytes)] : await idsOf(opened, topic, bytes)
    if (signal.aborted) return 'accept'
    for (const to of this.#options.legs.all) {
      if (to !== from) this.#forward({ from, to, topic, payload: bytes, sender, ids, opened })
    }
    return 'accept'
  }

  #forward(crossing: Crossing): void {
    const { from, to, topic, payload, sender, ids } = crossing
    const { legs, spread, random } = this.#options
    let rival = false
    const fresh = ids.filter((id) => {
      if (!this.#crossed.mark(id, from)) return false
      rival ||= this.#crossed.has(id, to)
      return !this.#crossed.has(id, to)
    })
    // Another bridge, or a peer on both networks, has brought it.
    if (rival) this.#rivalAt = legs.clock.now()
    if (fresh.length === 0) return
    if (!this.#budget.take(sender, payload.byteLength)) return
    const now = spread === 0 || legs.clock.now() - this.#rivalAt > aloneAfter
    const send = (): void => {
      const wanted = (): boolean => {
        const missing = fresh.filter((id) => this.#crossed.mark(id, to))
        return missing.length > 0 && to.up
      }
      if (this.#outboxes.get(to)?.add({ sender, topic, payload, wanted }) === true)
        this.#carry(crossing, new Set(fresh))
    }
    if (now) send()
    else if (this.#delayed < maxDelayed) {
      // Another bridge may be first. In that case the message is heard on the other side before this delay ends.
      this.#delayed++
      legs.clock.setTimeout(() => {
        this.#delayed--
        send()
      }, spread * random())
    }
  }

  /** An envelope may hold messages that have crossed in an earlier one: their content is not asked for again. */
  #carry({ from, to, topic, sender, ids, opened }: Crossing, fresh: ReadonlySet<string>): void {
    const { carrier, content, onWarning } = this.#options
    if (carrier === undefined || opened === 'garbage') return
    const { providers } = opened
    for (const [index, { content: payload }] of opened.messages.entries()) {
      if (!fresh.has(ids[index] as string)) continue
      if (!(payload instanceof Uint8Array)) carrier.carry({ ...payload, sender, from, to, providers })
      else if (content !== undefined) {
        try {
          for (const cid of content({ topic, payload })) carrier.carry({ cid, sender, from, to, providers })
        } catch (error) {
          onWarning(`the function for content failed at a message on "${topic}": ${(error as Error).message}`)
        }
      }
    }
  }
}

interface Crossing {
  readonly from: Leg
  readonly to: Leg
  readonly topic: string
  readonly payload: Uint8Array
  readonly sender: string
  readonly ids: readonly string[]
  readonly opened: Envelope | 'garbage'
}

/**
 * The ids of an envelope's messages. An envelope without messages, which only tells how many there were, is identified by
 * its bytes.
 */
async function idsOf(
  { publicKey, session, first, messages }: Envelope,
  topic: string,
  bytes: Uint8Array<ArrayBuffer>
): Promise<readonly string[]> {
  if (messages.length === 0) return [await digestOf(topic, bytes)]
  const sender = bytesKey(publicKey)
  return messages.map((_message, index) => `${sender}/${session}/${first + index}/${topic}`)
}

async function digestOf(topic: string, bytes: Uint8Array<ArrayBuffer>): Promise<string> {
  return `${bytesKey(new Uint8Array(await crypto.subtle.digest('SHA-256', bytes)))}/${topic}`
}

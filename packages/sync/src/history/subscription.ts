import type { Gap, Peer, Subscription } from '@p2pl/core'
import { Bell } from './bell.ts'
import type { HistoryGap, HistoryItem, HistorySubscription } from './api.ts'
import { formatCursor } from './cursor.ts'
import { Lanes } from './lanes.ts'
import type { Settled } from './lanes.ts'
import { sizeOf } from './frame.ts'
import type { Log, Logged } from './log.ts'
import type { Payloads } from './payloads.ts'
import type { Presenter } from './presenter.ts'

/** How many messages are read from the store at once. */
const readAhead = 64
/**
 * How many messages may wait for large payloads. Beyond this number, the sender with the most waiting messages loses
 * the payload it waits for.
 */
export const maxOpen = 1024

export interface HistorySubscriptionInit<T> {
  readonly peer: Peer
  readonly topic: string
  readonly log: Log
  readonly payloads: Payloads
  readonly presenter: Presenter<T>
  readonly maxPayloadBytes: number
  readonly since: { readonly through: number; readonly open: readonly number[] }
  readonly echo: boolean
  readonly payloadTimeout: number
  readonly signal: AbortSignal | undefined
  /** Calls back when something may have been written, or when the view was stopped. */
  readonly watch: (callback: () => void) => () => void
  readonly stopped: () => boolean
  readonly onClose: () => void
}

/** A reader of the log. Its cursor says what it has delivered. Waiting messages are in the store, so it needs no queue. */
export class LogSubscription<T> implements HistorySubscription<T> {
  readonly joined: Promise<void>
  readonly #init: HistorySubscriptionInit<T>
  /** A core subscription to the same topic, for its state and its gaps. The view handles its messages. */
  readonly #network: Subscription
  readonly #bell: Bell = new Bell()
  readonly #lanes: Lanes
  readonly #items: AsyncGenerator<HistoryItem<T>, undefined>
  readonly #gaps: Map<Gap['reason'], Gap> = new Map()
  /** The last place that was read and handled; `#open` has the places up to it that are not delivered yet. */
  #through: number
  readonly #open: Set<number>
  readonly #again: number[]
  #gapBefore = false
  #ahead: Logged[] = []
  #readTo: number
  /** Messages up to this place were here at the start: they are history. */
  readonly #began: number
  #closed: Promise<void> | undefined
  readonly #unwatch: () => void

  constructor(init: HistorySubscriptionInit<T>) {
    this.#init = init
    const { peer, topic, log, payloads, since, payloadTimeout, signal } = init
    this.#network = peer.topic(topic).subscribe({ signal })
    this.joined = this.#network.joined
    this.#began = log.end
    this.#through = since.through
    this.#readTo = since.through
    this.#open = new Set(since.open)
    this.#again = [...since.open]
    this.#unwatch = init.watch(() => {
      this.#bell.ring()
    })
    this.#lanes = new Lanes({
      fetch: async (claim, stop) => await payloads.fetch(claim, payloadTimeout, stop),
      read: async (place) => await log.at(place),
      onSettled: () => {
        this.#bell.ring()
      }
    })
    this.#items = this.#run()
    void this.#listen()
  }

  get state(): Subscription['state'] {
    return this.#network.state
  }

  onState(listener: (state: Subscription['state']) => void): () => void {
    return this.#network.onState(listener)
  }

  async next(): Promise<IteratorResult<HistoryItem<T>, undefined>> {
    return await this.#items.next()
  }

  async return(): Promise<IteratorResult<HistoryItem<T>, undefined>> {
    await this.close()
    return await this.#items.return(undefined)
  }

  [Symbol.asyncIterator](): this {
    return this
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close()
  }

  close(): Promise<void> {
    this.#closed ??= this.#end()
    return this.#closed
  }

  async #end(): Promise<void> {
    this.#unwatch()
    this.#lanes.stop()
    this.#bell.ring()
    this.#init.onClose()
    await this.#network.close()
  }

  async #listen(): Promise<void> {
    try {
      for await (const item of this.#network) {
        // Other gaps concern messages of the view's protocol, and the view recovers the entries in them.
        if (item.type === 'message' || (item.reason !== 'disconnected' && item.reason !== 'overflow')) continue
        const { type, topic, reason, at, lasted } = item
        const before = this.#gaps.get(reason)
        this.#gaps.set(reason, { type, topic, reason, at, lasted: before === undefined ? lasted : undefined })
        this.#bell.ring()
      }
    } catch {
      // Joining failed. `joined` tells the reader why.
    }
    await this.close().catch(() => undefined)
  }

  async *#run(): AsyncGenerator<HistoryItem<T>, undefined> {
    await this.joined
    try {
      while (this.#closed === undefined && !this.#init.stopped()) {
        const { rung } = this.#bell
        const item = await this.#item()
        if (item === undefined) await rung
        else yield item
      }
    } finally {
      await this.close()
    }
  }

  /**
   * A gap comes before the messages that follow it. But two gaps in a row are never delivered while a message waits,
   * because strangers can cause any number of gaps.
   */
  async #item(): Promise<HistoryItem<T> | undefined> {
    const first = this.#gapBefore ? undefined : this.#lost()
    const message = first === undefined ? ((await this.#settled()) ?? (await this.#read())) : undefined
    this.#gapBefore = message === undefined
    return first ?? message ?? this.#lost()
  }

  #lost(): HistoryGap | undefined {
    for (const [reason, gap] of this.#gaps) {
      this.#gaps.delete(reason)
      return { ...gap, cursor: this.#cursor() }
    }
    return undefined
  }

  async #settled(): Promise<HistoryItem<T> | undefined> {
    const taken = await this.#lanes.take()
    return taken && this.#deliver(taken.logged, taken.settled)
  }

  /** The next message of the log that waits for no payload. */
  async #read(): Promise<HistoryItem<T> | undefined> {
    const { peer, echo } = this.#init
    for (let logged = await this.#next(); logged !== undefined; logged = await this.#next()) {
      const { entry, frame, place } = logged
      this.#through = Math.max(this.#through, place)
      if (entry.author === peer.id && !echo) {
        this.#open.delete(place)
        continue
      }
      if (frame.content instanceof Uint8Array && !this.#lanes.has(entry.author)) {
        return this.#deliver(logged, { payload: frame.content })
      }
      this.#open.add(place)
      this.#lanes.add(logged)
      if (this.#open.size <= maxOpen) continue
      this.#lanes.giveUp()
      return await this.#settled()
    }
    return undefined
  }

  /** The next message of the log, starting with the open places of the cursor. */
  async #next(): Promise<Logged | undefined> {
    const { log } = this.#init
    for (let place = this.#again.shift(); place !== undefined; place = this.#again.shift()) {
      const logged = await log.at(place)
      if (logged !== undefined) return logged
      this.#open.delete(place)
    }
    while (this.#ahead.length === 0) {
      if (this.#readTo >= log.end) return undefined
      const { messages, through } = await log.after(this.#readTo, readAhead)
      this.#ahead = messages
      this.#readTo = through
    }
    return this.#ahead.shift()
  }

  #deliver(logged: Logged, settled: Settled): HistoryItem<T> {
    const { presenter, maxPayloadBytes } = this.#init
    const { place, live, frame } = logged
    this.#open.delete(place)
    if (sizeOf(frame) > maxPayloadBytes) return this.#gap(logged, 'oversized')
    if ('error' in settled) return this.#gap(logged, 'unavailable')
    const message = presenter.message(logged, settled.payload)
    if (message === undefined) return this.#gap(logged, 'undecodable')
    return { ...message, history: !live || place <= this.#began, cursor: this.#cursor() }
  }

  #gap({ entry }: Logged, reason: Gap['reason']): HistoryGap {
    const { topic, peer } = this.#init
    const { author: sender, cid } = entry
    const at = peer.environment.clock.wall()
    return { type: 'gap', topic, reason, at, sender, id: cid.toString(), count: 1, cursor: this.#cursor() }
  }

  #cursor(): string {
    return formatCursor({ store: this.#init.log.store, through: this.#through, open: [...this.#open] })
  }
}

import type { Gap, Headers, SubscribeOptions } from '../api/topic.ts'
import type { Clock } from '../clock.ts'
import { headersSize } from '../envelope/headers.ts'

const defaultMaxMessages = 4_096
const defaultMaxBytes = 16 * 1024 * 1024

export interface QueuedMessage {
  readonly type: 'message'
  readonly payload: Uint8Array
  readonly headers?: Headers
}

/** Bytes that an item holds. Headers cost memory, too. */
function sizeOf(item: QueuedMessage | Gap): number {
  if (item.type === 'gap') return 0
  return item.payload.byteLength + (item.headers === undefined ? 0 : headersSize(item.headers))
}

/** One reader's bounded queue. A gap takes the place of every message that does not fit. */
export class ItemQueue<M extends QueuedMessage> {
  readonly #topic: string
  readonly #clock: Clock
  readonly #maxMessages: number
  readonly #maxBytes: number
  readonly #overflow: 'oldest' | 'newest'

  #items: (M | Gap)[] = []
  #head = 0
  #messages = 0
  #bytes = 0
  /** Messages dropped from the front of the queue since the reader last took something. */
  #lostBefore = 0

  constructor(topic: string, clock: Clock, options: SubscribeOptions) {
    this.#topic = topic
    this.#clock = clock
    this.#maxMessages = options.maxQueuedMessages ?? defaultMaxMessages
    this.#maxBytes = options.maxQueuedBytes ?? defaultMaxBytes
    this.#overflow = options.overflow ?? 'oldest'
  }

  push(item: M | Gap): void {
    const size = sizeOf(item)
    // Gaps do not count, but adjacent equal gaps are merged, so a reader that never reads costs bounded memory.
    if (item.type === 'gap' && this.#mergeGap(item)) return
    if (item.type === 'message' && this.#overflow === 'newest' && !this.#fits(1, size)) {
      this.#pushLoss()
      return
    }
    this.#items.push(item)
    if (item.type === 'message') this.#messages++
    this.#bytes += size
    while (this.#messages > 1 && !this.#fits(0, 0)) this.#dropOldest()
    this.#boundGaps()
  }

  #fits(messages: number, bytes: number): boolean {
    return this.#messages + messages <= this.#maxMessages && this.#bytes + bytes <= this.#maxBytes
  }

  #pushLoss(): void {
    const loss = this.#loss(1)
    if (!this.#mergeGap(loss)) this.#items.push(loss)
  }

  #mergeGap(gap: Gap): boolean {
    const last = this.#items.at(-1)
    if (this.#items.length === this.#head || last?.type !== 'gap') return false
    if (last.reason !== gap.reason || last.sender !== gap.sender) return false
    if (gap.first !== undefined || last.first !== undefined) return false
    const count = last.count === undefined || gap.count === undefined ? undefined : last.count + gap.count
    this.#items[this.#items.length - 1] = { ...last, count }
    return true
  }

  #dropOldest(): void {
    const item = this.#items[this.#head++]
    if (item?.type === 'message') {
      this.#messages--
      this.#bytes -= sizeOf(item)
      this.#lostBefore++
    } else if (item !== undefined) {
      this.#lostBefore += item.count ?? 1
    }
    this.#compact()
  }

  #boundGaps(): void {
    while (this.#items.length - this.#head > this.#maxMessages * 2 + 16) this.#dropOldest()
  }

  #compact(): void {
    if (this.#head < 1_024 || this.#head * 2 < this.#items.length) return
    this.#items = this.#items.slice(this.#head)
    this.#head = 0
  }

  /** The next item. The gap for dropped messages comes once, before it. */
  take(): M | Gap | undefined {
    if (this.#lostBefore > 0) {
      const count = this.#lostBefore
      this.#lostBefore = 0
      return this.#loss(count)
    }
    const item = this.#items[this.#head]
    if (item === undefined) return undefined
    this.#head++
    if (item.type === 'message') {
      this.#messages--
      this.#bytes -= sizeOf(item)
    }
    if (this.#head === this.#items.length) {
      this.#items = []
      this.#head = 0
    } else {
      this.#compact()
    }
    return item
  }

  #loss(count: number): Gap {
    return { type: 'gap', topic: this.#topic, reason: 'queue', at: this.#clock.wall(), count }
  }

  clear(): void {
    this.#items = []
    this.#head = 0
    this.#messages = 0
    this.#bytes = 0
    this.#lostBefore = 0
  }
}

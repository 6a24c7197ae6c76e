import type { Gap, SubscribeOptions, Subscription, TopicItem } from '../api/topic.ts'

const defaultMaxMessages = 4_096
const defaultMaxBytes = 16 * 1024 * 1024

/** One reader's bounded queue of items. What does not fit is replaced by a gap, never by nothing. */
export class SubscriptionQueue implements Subscription {
  readonly joined: Promise<void>
  readonly echo: boolean
  readonly #topic: string
  readonly #maxMessages: number
  readonly #maxBytes: number
  readonly #overflow: 'oldest' | 'newest'
  readonly #onClose: (queue: SubscriptionQueue) => Promise<void>

  #items: TopicItem[] = []
  #head = 0
  #messages = 0
  #bytes = 0
  /** Messages dropped from the front of the queue since the reader last took something. */
  #lostBefore = 0
  #waiting: Array<{ resolve: (result: IteratorResult<TopicItem>) => void; reject: (error: unknown) => void }> = []
  #closed: Promise<void> | undefined
  #failure: { error: unknown } | undefined

  constructor(
    topic: string,
    options: SubscribeOptions,
    joined: Promise<void>,
    onClose: (queue: SubscriptionQueue) => Promise<void>
  ) {
    this.#topic = topic
    this.#maxMessages = options.maxQueuedMessages ?? defaultMaxMessages
    this.#maxBytes = options.maxQueuedBytes ?? defaultMaxBytes
    this.#overflow = options.overflow ?? 'oldest'
    this.echo = options.echo ?? false
    this.#onClose = onClose
    this.joined = joined
    joined.catch((error: unknown) => {
      this.#fail(error)
    })
  }

  push(item: TopicItem): void {
    if (this.#closed !== undefined || this.#failure !== undefined) return
    const reader = this.#waiting.shift()
    if (reader !== undefined) {
      reader.resolve({ value: item, done: false })
      return
    }
    const size = item.type === 'message' ? item.payload.byteLength : 0
    // Gaps take no part in the count, but equal neighbours are merged: a reader that never reads costs bounded memory.
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
    const loss: Gap = { type: 'gap', topic: this.#topic, reason: 'queue', count: 1 }
    if (!this.#mergeGap(loss)) this.#items.push(loss)
  }

  #mergeGap(gap: Gap): boolean {
    const last = this.#items.at(-1)
    if (this.#items.length === this.#head || last?.type !== 'gap') return false
    if (last.reason !== gap.reason || last.sender !== gap.sender) return false
    if (gap.first !== undefined) return false
    const count = last.count === undefined || gap.count === undefined ? undefined : last.count + gap.count
    this.#items[this.#items.length - 1] = { ...last, count }
    return true
  }

  #dropOldest(): void {
    const item = this.#items[this.#head++]
    if (item?.type === 'message') {
      this.#messages--
      this.#bytes -= item.payload.byteLength
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

  #take(): TopicItem | undefined {
    if (this.#lostBefore > 0) {
      const count = this.#lostBefore
      this.#lostBefore = 0
      return { type: 'gap', topic: this.#topic, reason: 'queue', count }
    }
    const item = this.#items[this.#head]
    if (item === undefined) return undefined
    this.#head++
    if (item.type === 'message') {
      this.#messages--
      this.#bytes -= item.payload.byteLength
    }
    if (this.#head === this.#items.length) {
      this.#items = []
      this.#head = 0
    } else {
      this.#compact()
    }
    return item
  }

  async next(): Promise<IteratorResult<TopicItem>> {
    const item = this.#take()
    if (item !== undefined) return { value: item, done: false }
    if (this.#failure !== undefined) {
      const { error } = this.#failure
      throw error
    }
    if (this.#closed !== undefined) return { value: undefined, done: true }
    return await new Promise((resolve, reject) => {
      this.#waiting.push({ resolve, reject })
    })
  }

  async return(): Promise<IteratorResult<TopicItem>> {
    await this.close()
    this.#items = []
    this.#head = 0
    this.#lostBefore = 0
    return { value: undefined, done: true }
  }

  [Symbol.asyncIterator](): this {
    return this
  }

  close(): Promise<void> {
    this.#closed ??= this.#end()
    return this.#closed
  }

  async #end(): Promise<void> {
    for (const reader of this.#waiting.splice(0)) reader.resolve({ value: undefined, done: true })
    await this.#onClose(this)
  }

  #fail(error: unknown): void {
    if (this.#closed !== undefined) return
    this.#failure = { error }
    for (const reader of this.#waiting.splice(0)) reader.reject(error)
  }
}

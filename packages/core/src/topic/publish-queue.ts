import type { PublishOptions, PublishReceipt } from '../api/topic.ts'
import { abortError, invalidArgument, isP2plError, P2plError, throwIfAborted } from '../errors.ts'
import type { TopicContext } from './context.ts'

/** A message that waits to be published, or is on its way. */
export interface Pending<T> {
  readonly sequence: number
  readonly item: T
  /** Bytes that it needs in an envelope. */
  readonly bytes: number
  /** Recipients that must have been handed it. */
  readonly need: number
  /** When it is given up, in milliseconds of the clock. */
  readonly expires: number
  readonly resolve: (receipt: PublishReceipt) => void
  readonly reject: (error: P2plError) => void
}

export interface PublishQueueOptions<T> {
  readonly context: TopicContext
  readonly topic: string
  /** Most bytes and messages that one batch takes. A single message may be larger. */
  readonly maxBatchBytes: number
  readonly maxBatchMessages: number
  /** Hands a batch of consecutive sequence numbers to the engine. */
  readonly send: (messages: ReadonlyArray<Pending<T>>, signal: AbortSignal) => Promise<number | undefined>
  readonly idOf: (sequence: number) => string | undefined
  /** Called once for each message that is done. */
  readonly onPublished: (message: Pending<T>) => void
}

const firstPause = 20
const longestPause = 250
/** What the engine's distance of two publishes is for. A larger one keeps its receivers busy for longer. */
const pacedBytes = 64 * 1024
/** A day: timers do not take `Infinity`. */
const longestWait = 86_400_000

/**
 * The outgoing messages of one topic, in order. Whatever queues up while a batch is on its way goes into the next one;
 * a batch that nobody received is sent again, with whatever has been added, until its messages expire. Numbers stay with
 * their messages, so that a receiver recognises what it has had.
 */
export class PublishQueue<T> {
  readonly #options: PublishQueueOptions<T>
  #queue: Array<Pending<T>> = []
  #bytes = 0
  #sequence = 0
  #room: Array<() => void> = []
  #running = false
  #nextSend = -Infinity
  #sweeper: unknown
  #sweepAt = Infinity
  #wake: (() => void) | undefined
  /** What the engine said to the last attempt, where that failed. */
  #lastError: P2plError | undefined

  constructor(options: PublishQueueOptions<T>) {
    this.#options = options
  }

  /** One more than the last number given. */
  get next(): number {
    return this.#sequence
  }

  /** Waits for room, then queues; resolves when the engine has it and enough recipients got it. */
  async publish(item: T, bytes: number, options: PublishOptions | undefined): Promise<PublishReceipt> {
    const { context } = this.#options
    const { clock, deadlines, limits, capabilities } = context
    const need = options?.recipients ?? (capabilities.recipients === 'none' ? 0 : 1)
    if (!Number.isSafeInteger(need) || need < 0) throw invalidArgument('publish', 'recipients must be a number from 0')
    if (need > 0 && capabilities.recipients === 'none') {
      throw new P2plError({
        code: 'UNSUPPORTED',
        operation: 'publish',
        backend: context.backendName,
        message: `the backend "${context.backendName}" cannot tell who received a message: publish with recipients: 0`
      })
    }
    const deadline = options?.deadline ?? deadlines.publish
    if (!(deadline > 0))
      throw invalidArgument(
        'publish',
        `deadline must be a positive number of milliseconds, or Infinity, not ${String(deadline)}`
      )
    const expires = clock.now() + deadline
    while (this.#bytes > 0 && this.#bytes + bytes > limits.maxPublishQueueBytes) {
      await this.#waitForRoom(expires, options?.signal)
    }
    return await new Promise<PublishReceipt>((resolve, reject) => {
      this.#enqueue({ item, bytes, need, expires, resolve, reject }, options?.signal)
    })
  }

  #enqueue(message: Omit<Pending<T>, 'sequence'>, signal: AbortSignal | undefined): void {
    const { context } = this.#options
    const pending = this.#track({ ...message, sequence: this.#sequence++ }, signal)
    this.#queue.push(pending)
    this.#bytes += pending.bytes
    this.#scheduleSweep(pending.expires)
    if (this.#running) {
      if (pending.need === 0) this.#wake?.()
      return
    }
    this.#running = true
    // A turn of the microtask queue later: what is published in one go shares the first batch, too.
    queueMicrotask(() => {
      this.#pump().catch((error: unknown) => {
        context.onEvent({
          type: 'warning',
          backend: context.backendName,
          message: `publishing stopped: ${String(error)}`
        })
      })
    })
  }

  #track(pending: Pending<T>, signal: AbortSignal | undefined): Pending<T> {
    if (signal === undefined) return pending
    const onAbort = (): void => {
      this.#drop(tracked, abortError('publish', signal, this.#options.context.backendName))
    }
    const tracked: Pending<T> = {
      ...pending,
      resolve: (receipt) => {
        signal.removeEventListener('abort', onAbort)
        pending.resolve(receipt)
      },
      reject: (error) => {
        signal.removeEventListener('abort', onAbort)
        pending.reject(error)
      }
    }
    signal.addEventListener('abort', onAbort, { once: true })
    return tracked
  }

  async #waitForRoom(expires: number, signal: AbortSignal | undefined): Promise<void> {
    const { clock } = this.#options.context
    await new Promise<void>((resolve, reject) => {
      const settle = (end: () => void): void => {
        clock.clearTimeout(timer)
        signal?.removeEventListener('abort', onAbort)
        this.#room = this.#room.filter((entry) => entry !== onRoom)
        end()
      }
      const onRoom = (): void => {
        settle(resolve)
      }
      const onAbort = (): void => {
        settle(() => {
          if (signal !== undefined) reject(abortError('publish', signal))
        })
      }
      const timer = clock.setTimeout(
        () => {
          settle(() => {
            reject(
              new P2plError({
                code: 'OVERLOADED',
                operation: 'publish',
                message: `no room in the publish queue of topic "${this.#options.topic}" before the deadline: publish more slowly, or raise limits.maxPublishQueueBytes`
              })
            )
          })
        },
        Math.min(Math.max(0, expires - clock.now()), longestWait)
      )
      signal?.addEventListener('abort', onAbort, { once: true })
      this.#room.push(onRoom)
    })
    throwIfAborted('publish', signal)
  }

  async #pump(): Promise<void> {
    let pause = 0
    try {
      while (this.#queue.length > 0) {
        await this.#pace(pause)
        const batch = this.#nextBatch()
        if (batch.length === 0) break
        pause = (await this.#sendBatch(batch)) ? 0 : Math.min(longestPause, Math.max(firstPause, pause * 2))
      }
    } finally {
      this.#running = false
      if (this.#queue.length === 0) this.#lastError = undefined
    }
  }

  /** Keeps the engine's distance of two publishes, and waits after a batch that nobody received. */
  async #pace(pause: number): Promise<void> {
    const { clock } = this.#options.context
    const wait = Math.max(this.#nextSend - clock.now(), 0)
    if (wait > 0) await new Promise<void>((resolve) => void clock.setTimeout(resolve, wait))
    if (pause === 0) return
    await new Promise<void>((resolve) => {
      const timer = clock.setTimeout(resolve, pause)
      this.#wake = () => {
        clock.clearTimeout(timer)
        resolve()
      }
    })
    this.#wake = undefined
  }

  /** The longest run of consecutive numbers at the head of the queue that fits. */
  #nextBatch(): Array<Pending<T>> {
    const { maxBatchBytes, maxBatchMessages } = this.#options
    let bytes = 0
    let length = 0
    for (const message of this.#queue) {
      const before = this.#queue[length - 1]
      if (length === maxBatchMessages || (before !== undefined && message.sequence !== before.sequence + 1)) break
      if (length > 0 && bytes + message.bytes > maxBatchBytes) break
      bytes += message.bytes
      length++
    }
    return this.#queue.slice(0, length)
  }

  /** Whether everything in the batch is done with. */
  async #sendBatch(batch: ReadonlyArray<Pending<T>>): Promise<boolean> {
    const { context, send, idOf, onPublished } = this.#options
    const { clock, deadlines } = context
    const timeout = new AbortController()
    const timer = clock.setTimeout(() => {
      timeout.abort(
        new P2plError({
          code: 'TIMEOUT',
          operation: 'publish',
          backend: context.backendName,
          message: `the engine did not take a message within ${deadlines.publish} ms`
        })
      )
    }, deadlines.publish)
    try {
      const recipients = await send(batch, timeout.signal)
      const done = batch.filter((message) => recipients === undefined || recipients >= message.need)
      this.#lastError = undefined
      this.#remove(done)
      for (const message of done) {
        onPublished(message)
        message.resolve({ id: idOf(message.sequence), recipients })
      }
      return done.length === batch.length
    } catch (cause) {
      const error = asPublishError(cause, context.backendName)
      // What the engine did not take may be given to it again: receivers know a number that they have had.
      this.#lastError = error
      if (error.retryable) return false
      this.#remove(batch)
      for (const { reject } of batch) reject(error)
      return true
    } finally {
      clock.clearTimeout(timer)
      const bytes = batch.reduce((sum, message) => sum + message.bytes, 0)
      this.#nextSend = clock.now() + context.capabilities.pacing * Math.max(1, bytes / pacedBytes)
    }
  }

  #remove(messages: ReadonlyArray<Pending<T>>): void {
    if (messages.length === 0) return
    const gone = new Set(messages.map((message) => message.sequence))
    this.#queue = this.#queue.filter((message) => !gone.has(message.sequence))
    this.#bytes = this.#queue.length === 0 ? 0 : this.#queue.reduce((sum, message) => sum + message.bytes, 0)
    for (const onRoom of this.#room.splice(0)) onRoom()
  }

  #drop(message: Pending<T>, error: P2plError): void {
    this.#remove([message])
    message.reject(error)
  }

  #scheduleSweep(at: number): void {
    if (at >= this.#sweepAt) return
    const { clock } = this.#options.context
    if (this.#sweeper !== undefined) clock.clearTimeout(this.#sweeper)
    this.#sweepAt = at
    this.#sweeper = clock.setTimeout(
      () => {
        this.#sweep()
      },
      Math.max(0, at - clock.now())
    )
  }

  #sweep(): void {
    const { clock } = this.#options.context
    const now = clock.now()
    this.#sweepAt = Infinity
    this.#sweeper = undefined
    for (const message of this.#queue.filter(({ expires }) => expires <= now)) {
      this.#drop(message, this.#expired(message))
    }
    const next = this.#queue.reduce((earliest, { expires }) => Math.min(earliest, expires), Infinity)
    if (next !== Infinity) this.#scheduleSweep(next)
  }

  #expired(message: Pending<T>): P2plError {
    const { context, topic } = this.#options
    if (this.#lastError !== undefined) return this.#lastError
    return new P2plError({
      code: message.need > 0 ? 'NO_PEERS' : 'TIMEOUT',
      operation: 'publish',
      backend: context.backendName,
      message:
        message.need > 0
          ? `topic "${topic}" did not get ${message.need} recipient(s) before the deadline: wait with topic.ready(), or publish with recipients: 0`
          : `the engine did not take the message for topic "${topic}" before the deadline`
    })
  }

  /** Rejects what waits; nothing is sent any more. */
  stop(error: P2plError): void {
    const { clock } = this.#options.context
    if (this.#sweeper !== undefined) clock.clearTimeout(this.#sweeper)
    const messages = this.#queue
    this.#queue = []
    this.#bytes = 0
    for (const { reject } of messages) reject(error)
    for (const onRoom of this.#room.splice(0)) onRoom()
    this.#wake?.()
  }
}

function asPublishError(cause: unknown, backend: string): P2plError {
  if (isP2plError(cause)) return cause
  return new P2plError({
    code: 'ENGINE',
    operation: 'publish',
    backend,
    cause,
    message: `publish failed: ${String(cause)}`
  })
}

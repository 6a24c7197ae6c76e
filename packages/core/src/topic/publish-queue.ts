import type { PublishOptions, PublishReceipt } from '../api/topic.ts'
import { holdProcess } from '../clock.ts'
import { abortError, P2plError, throwIfAborted, unsupported } from '../errors.ts'
import { asTypedError } from '../foreign-error.ts'
import { backoff } from '../toolbox/backoff.ts'
import { timeoutOf, withProgressTimeout } from '../toolbox/countdown.ts'
import { checkNumber } from '../toolbox/options.ts'
import type { TopicContext } from './context.ts'
import { Room } from './room.ts'

/** A message that waits to be published, or is being sent. */
export interface Pending<T> {
  readonly sequence: number
  readonly item: T
  /** Bytes that it needs in an envelope. */
  readonly bytes: number
  /** How many recipients must have been handed it. */
  readonly need: number
  /** When it expires, in milliseconds of the monotonic clock. */
  readonly expires: number
  readonly context: unknown
  readonly resolve: (receipt: PublishReceipt) => void
  readonly reject: (error: P2plError) => void
}

export interface PublishQueueOptions<T> {
  readonly context: TopicContext
  readonly topic: string
  /** Maximum bytes and number of messages of one batch. A single message may be larger. */
  readonly maxBatchBytes: number
  readonly maxBatchMessages: number
  /** Whether receivers recognise a duplicate. Then a message may be sent again if its fate is unknown. */
  readonly repeatable: boolean
  /** Hands a batch of consecutive sequence numbers to the engine. */
  readonly send: (messages: ReadonlyArray<Pending<T>>, signal: AbortSignal) => Promise<number | undefined>
  readonly idOf: (sequence: number) => string | undefined
  /** Called once for each message that is done. */
  readonly onPublished: (message: Pending<T>) => void
  /** Called when nothing waits any longer. */
  readonly onIdle: () => void
}

const pauses = { first: 20, longest: 250 } as const
/** While each turn of the event loop brings more messages, they wait for each other at most this long (ms). */
const longestGathering = 5

/**
 * The outgoing messages of one topic, in order. Messages that queue up while a batch is being sent go into the next one. A
 * batch that reached too few recipients is sent again, with the messages added meanwhile, until its messages expire.
 * Messages keep their numbers, so receivers recognise duplicates.
 */
export class PublishQueue<T> {
  readonly #options: PublishQueueOptions<T>
  /** By sequence, ascending. */
  readonly #queue = new Map<number, Pending<T>>()
  readonly #room: Room
  #sequence = 0
  #running = false
  #stopped: P2plError | undefined
  #sweeper: unknown
  #sweepAt = Infinity
  #release: (() => void) | undefined
  #wake: (() => void) | undefined
  /** Messages that the engine was given and has not answered for. */
  #sending: ReadonlyArray<Pending<T>> = []
  /** The engine's error at the last attempt, if that failed. */
  #lastError: P2plError | undefined

  constructor(options: PublishQueueOptions<T>) {
    this.#options = options
    this.#room = new Room(options.topic, options.context.limits.maxPublishQueueBytes, options.context.environment.clock)
  }

  /** One more than the last number given. */
  get next(): number {
    return this.#sequence
  }

  get idle(): boolean {
    return this.#queue.size === 0 && !this.#running && this.#room.waiting === 0
  }

  /** Waits for room, then queues; resolves when the engine has it and enough recipients got it. */
  async publish(item: T, bytes: number, options: PublishOptions | undefined): Promise<PublishReceipt> {
    const { context } = this.#options
    const need = neededRecipients(context, options)
    const expires = context.environment.clock.now() + timeoutOf(options, context.timeouts.publish, 'publish')
    await this.#room.enter(bytes, expires, options?.signal)
    if (this.#stopped !== undefined || options?.signal?.aborted === true) {
      this.#room.leave(bytes)
      throwIfAborted('publish', options?.signal)
      throw this.#stopped
    }
    return await new Promise<PublishReceipt>((resolve, reject) => {
      this.#enqueue({ item, bytes, need, expires, context: options?.context, resolve, reject }, options?.signal)
    })
  }

  #enqueue(message: Omit<Pending<T>, 'sequence'>, signal: AbortSignal | undefined): void {
    const { clock } = this.#options.context.environment
    const pending = this.#track({ ...message, sequence: this.#sequence++ }, signal)
    this.#queue.set(pending.sequence, pending)
    this.#release ??= holdProcess(clock)
    this.#scheduleSweep(pending.expires)
    if (this.#running) {
      if (pending.need === 0) this.#wake?.()
      return
    }
    this.#running = true
    void this.#pump()
  }

  #track(pending: Pending<T>, signal: AbortSignal | undefined): Pending<T> {
    if (signal === undefined) return pending
    const onAbort = (): void => {
      this.#remove(tracked)
      // Not `tracked.reject`, which would remove a listener that is already gone, and looking for it among thousands takes long.
      pending.reject(abortError('publish', signal, this.#options.context.backendName))
    }
    const settled = <V>(settle: (value: V) => void): ((value: V) => void) => {
      return (value) => {
        signal.removeEventListener('abort', onAbort)
        settle(value)
      }
    }
    const tracked: Pending<T> = { ...pending, resolve: settled(pending.resolve), reject: settled(pending.reject) }
    signal.addEventListener('abort', onAbort, { once: true })
    return tracked
  }

  /** Never rejects. */
  async #pump(): Promise<void> {
    const { context, onIdle } = this.#options
    let attempt = 0
    while (this.#queue.size > 0) {
      await this.#gather()
      if (attempt > 0) await this.#pause(backoff(pauses, attempt))
      const leave = await context.pacer.enter()
      // Chosen only now, so that it includes the messages that queued up during the engine's pause.
      const batch = this.#nextBatch()
      attempt = (await this.#sendBatch(batch)) ? 0 : attempt + 1
      leave(batch.reduce((sum, message) => sum + message.bytes, 0))
      if (attempt > 0) await this.#awaitRecipients(batch)
    }
    this.#running = false
    this.#lastError = undefined
    onIdle()
  }

  /**
   * Waits for a turn of the event loop, so that timers run however fast the producer is. Waits for further turns while they
   * bring more messages: so a producer that yields between its messages shares envelopes like one that does not.
   */
  async #gather(): Promise<void> {
    const { maxBatchBytes, maxBatchMessages, context } = this.#options
    const { clock } = context.environment
    const begin = clock.now()
    for (let before = -1; before !== this.#sequence;) {
      before = this.#sequence
      await new Promise<void>((resolve) => {
        clock.nextTurn(resolve)
      })
      const full = this.#queue.size >= maxBatchMessages || this.#room.used >= maxBatchBytes
      if (full || clock.now() - begin >= longestGathering) return
    }
  }

  async #pause(ms: number): Promise<void> {
    const { clock } = this.#options.context.environment
    await new Promise<void>((resolve) => {
      const timer = clock.setTimeout(resolve, ms)
      this.#wake = () => {
        clock.clearTimeout(timer)
        resolve()
      }
    })
    this.#wake = undefined
  }

  /**
   * If the engine can tell which peers are there, waits until there are enough of them: the peers that already have the
   * batch need not get it again.
   */
  async #awaitRecipients(batch: ReadonlyArray<Pending<T>>): Promise<void> {
    const { context, topic } = this.#options
    if (this.#lastError !== undefined || context.capabilities().peers === 'none') return
    for (let attempt = 1; ; attempt++) {
      const waiting = batch.filter(({ sequence }) => this.#queue.has(sequence))
      const need = Math.min(...waiting.map((message) => message.need))
      if (waiting.length === 0 || this.#queue.size > batch.length) return
      const there = await this.#ask((signal) => context.transport.peers(topic, { signal })).catch(() => undefined)
      if (there === undefined || there.length >= need) return
      await this.#pause(backoff(pauses, attempt))
    }
  }

  /** The longest run of consecutive numbers at the head of the queue that fits. */
  #nextBatch(): Array<Pending<T>> {
    const { maxBatchBytes, maxBatchMessages } = this.#options
    const batch: Array<Pending<T>> = []
    let bytes = 0
    for (const message of this.#queue.values()) {
      const before = batch.at(-1)
      if (batch.length >= maxBatchMessages) break
      if (before !== undefined && message.sequence !== before.sequence + 1) break
      if (before !== undefined && bytes + message.bytes > maxBatchBytes) break
      bytes += message.bytes
      batch.push(message)
    }
    return batch
  }

  /** Returns whether everything in the batch is done. */
  async #sendBatch(batch: ReadonlyArray<Pending<T>>): Promise<boolean> {
    const { context, send, idOf, onPublished, repeatable } = this.#options
    if (batch.length === 0) return true
    this.#sending = batch
    try {
      const recipients = await this.#ask((signal) => send(batch, signal))
      this.#lastError = undefined
      const done = batch.filter(({ need }) => recipients === undefined || recipients >= need)
      for (const message of done) {
        if (!this.#remove(message)) continue
        onPublished(message)
        message.resolve({ id: idOf(message.sequence), recipients })
      }
      return done.length === batch.length
    } catch (cause) {
      const failure = asTypedError(cause, 'publish', context.backendName)
      const error = failure.code === 'TIMEOUT' && !repeatable ? this.#uncertain(failure) : failure
      this.#lastError = error
      const again = (error.retryable || (repeatable && error.code === 'UNCERTAIN')) && !error.exhausted
      if (again) return false
      for (const message of batch) if (this.#remove(message)) message.reject(error)
      return true
    } finally {
      this.#sending = []
    }
  }

  /** An engine that never answers holds up the queue no longer than an engine that reports its failure. */
  #ask<V>(work: (signal: AbortSignal) => Promise<V>): Promise<V> {
    const { environment, timeouts } = this.#options.context
    return withProgressTimeout(environment.clock, {}, timeouts.publish, 'publish', (countdown) => {
      countdown.waitsFor('the engine did not answer')
      return work(countdown.signal)
    })
  }

  /** Returns whether the message was still waiting. */
  #remove(message: Pending<T>): boolean {
    if (!this.#queue.delete(message.sequence)) return false
    this.#room.leave(message.bytes)
    if (this.#queue.size === 0) this.#settled()
    return true
  }

  #settled(): void {
    const { clock } = this.#options.context.environment
    this.#release?.()
    this.#release = undefined
    clock.clearTimeout(this.#sweeper)
    this.#sweeper = undefined
    this.#sweepAt = Infinity
  }

  #scheduleSweep(at: number): void {
    if (at >= this.#sweepAt) return
    const { clock } = this.#options.context.environment
    clock.clearTimeout(this.#sweeper)
    this.#sweepAt = at
    this.#sweeper = clock.setTimeout(
      () => {
        this.#sweep()
      },
      Math.max(0, at - clock.now())
    )
  }

  #sweep(): void {
    const now = this.#options.context.environment.clock.now()
    this.#sweepAt = Infinity
    let next = Infinity
    for (const message of this.#queue.values()) {
      if (message.expires > now) next = Math.min(next, message.expires)
      else if (this.#remove(message)) message.reject(this.#expired(message))
    }
    if (next !== Infinity) this.#scheduleSweep(next)
    this.#wake?.()
  }

  #expired(message: Pending<T>): P2plError {
    const { context, topic } = this.#options
    if (!this.#options.repeatable && this.#sending.includes(message)) return this.#uncertain()
    if (this.#lastError !== undefined) return this.#lastError
    return new P2plError({
      code: message.need > 0 ? 'NO_PEERS' : 'TIMEOUT',
      operation: 'publish',
      backend: context.backendName,
      message:
        message.need > 0
          ? `topic "${topic}" did not get ${message.need} recipient(s) within the timeout: wait with topic.ready(), or publish with recipients: 0`
          : `the engine did not take the message for topic "${topic}" within the timeout`
    })
  }

  #uncertain(cause?: P2plError): P2plError {
    const { context, topic } = this.#options
    return new P2plError({
      code: 'UNCERTAIN',
      operation: 'publish',
      backend: context.backendName,
      cause,
      message: `the engine did not say whether it took the message for topic "${topic}": publish it again only where receivers may get it twice`
    })
  }

  /** Rejects the messages that wait. Nothing more is sent or accepted. */
  stop(error: P2plError): void {
    this.#stopped = error
    for (const message of this.#queue.values()) if (this.#remove(message)) message.reject(error)
    this.#room.stop(error)
    this.#wake?.()
  }
}

function neededRecipients(context: TopicContext, options: PublishOptions | undefined): number {
  throwIfAborted('publish', options?.signal)
  const tells = context.capabilities().recipients !== 'none'
  const need = checkNumber('publish', 'recipients', options?.recipients, { min: 0, integer: true }, tells ? 1 : 0)
  if (need === 0 || tells) return need
  throw unsupported(
    context.backendName,
    'publish with recipients',
    'it cannot tell who received a message: publish with recipients: 0'
  )
}

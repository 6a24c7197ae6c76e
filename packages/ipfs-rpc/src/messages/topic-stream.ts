import { backoff, type P2plError, type Subscriber, giveUpAfter } from '@p2pl/core/backend'
import type { Health, HealthEvent } from '@p2pl/kubo'
import { type Answer, type CallKind, classify, notRunning } from '@p2pl/kubo/rpc'
import { base64url } from 'multiformats/bases/base64'
import type { RpcClient } from '../rpc/client.ts'
import { Overlap } from './overlap.ts'
import { messageIn } from './wire.ts'

export interface TopicStreamOptions {
  readonly rpc: RpcClient
  readonly health: Health
  readonly topic: string
  readonly subscriber: Required<Subscriber>
  /** Milliseconds after which a stream without a message is replaced. */
  readonly silence: number
  /** Fires when the topic is left, and when the backend stops. */
  readonly life: AbortSignal
  readonly warn: (message: string) => void
}

const operation = 'messages.subscribe'
const subscribing: CallKind = { operation, lane: 'stream', timeout: 15_000 }
const pauses = { first: 100, longest: 5_000 } as const
/** The daemon must return a message that was published on the topic within this time (ms). */
const echoTimeout = 5_000

/**
 * One topic, read from the daemon through an HTTP stream. The stream is opened again, with a `gap`, whenever it ends.
 *
 * A dead connection looks exactly like a quiet topic. So a stream that was silent for long is replaced, and the next
 * message shows whether it was dead ({@link Overlap}). A stream that does not return what was published here counts as
 * dead at once.
 */
export class TopicStream {
  readonly #options: TopicStreamOptions
  readonly #overlap: Overlap
  readonly #unwatch: () => void
  #stream: Answer | undefined
  #closed = false
  #opening = false
  /** The number of consecutive streams that could not be opened or soon ended. */
  #failures = 0
  #openedAt = 0
  /** When the stream was opened, or last brought something. */
  #aliveAt = 0
  #reopening: NodeJS.Timeout | undefined
  /** Stops the wait for it. */
  #echo: (() => void) | undefined

  constructor(options: TopicStreamOptions) {
    this.#options = options
    this.#overlap = new Overlap({
      deliver: (message) => void options.subscriber.message(message),
      lost: () => this.#gap()
    })
    this.#unwatch = options.health.on((event) => this.#onHealth(event))
    options.life.addEventListener('abort', () => this.close(), { once: true })
  }

  /** Resolves when the daemon has joined the topic. */
  async open(): Promise<void> {
    try {
      this.#adopt(await this.#request())
    } catch (error) {
      this.close()
      throw error
    }
  }

  close(): void {
    if (this.#closed) return
    this.#closed = true
    clearTimeout(this.#reopening)
    this.#unwatch()
    this.#drop()
  }

  /** A message was published on the topic here. The daemon returns it, otherwise the stream is dead. */
  expectEcho(): void {
    if (this.#closed || this.#stream === undefined) return
    this.#echo ??= giveUpAfter(echoTimeout, () => this.#lost())
  }

  async #request(): Promise<Answer> {
    const { rpc, topic, life } = this.#options
    // Without the library: it ends after 300 s of silence, does not report an orderly end, and does not limit the
    // length of lines.
    return await rpc.request(subscribing, {
      path: 'pubsub/sub',
      query: new URLSearchParams({ arg: base64url.encode(new TextEncoder().encode(topic)) }),
      signal: life
    })
  }

  #adopt(answer: Answer): void {
    if (this.#closed) return answer.fail(notRunning(operation))
    this.#stream = answer
    this.#aliveAt = this.#openedAt = performance.now()
    this.#watchSilence()
    this.#options.subscriber.state('live')
    void this.#read(answer)
  }

  async #read(answer: Answer): Promise<void> {
    let error: P2plError | undefined
    try {
      for await (const lines of answer.lines()) for (const line of lines) this.#onLine(answer, line)
    } catch (thrown) {
      error = classify(operation, thrown)
      if (error.code === 'PROTOCOL') this.#options.warn(`a subscription is opened again: ${error.message}`)
    }
    if (this.#closed) return
    if (answer === this.#stream) this.#lost()
    else this.#overlap.ended(answer, error === undefined || isOrderly(error))
  }

  #onLine(answer: Answer, line: string): void {
    const { message, key } = messageIn(operation, line)
    const isCurrent = answer === this.#stream
    if (this.#closed || (!isCurrent && !this.#overlap.isOld(answer))) return
    if (isCurrent) {
      this.#echo?.()
      this.#echo = undefined
      this.#aliveAt = performance.now()
      this.#watchSilence()
    }
    this.#overlap.push(answer, message, key)
  }

  /**
   * The stream is gone or dead: messages are lost until it is open again. The first loss is repaired at once. A daemon
   * that keeps ending streams early is asked only after a pause.
   */
  #lost(): void {
    if (performance.now() - this.#openedAt > pauses.longest) this.#failures = 0
    this.#drop()
    this.#gap()
    this.#options.subscriber.state('healing')
    this.#reopen(this.#failures === 0 ? 0 : backoff(pauses, this.#failures))
    this.#failures++
  }

  #gap(): void {
    this.#options.subscriber.gap({ reason: 'disconnected', lasted: Math.ceil(performance.now() - this.#aliveAt) })
  }

  #drop(): void {
    this.#echo?.()
    this.#echo = undefined
    this.#stream?.fail(notRunning(operation))
    this.#stream = undefined
    this.#overlap.clear(this.#closed)
  }

  #reopen(pause: number): void {
    clearTimeout(this.#reopening)
    this.#reopening = setTimeout(() => void this.#replace(), pause)
  }

  #watchSilence(): void {
    this.#reopen(this.#options.silence)
    this.#reopening?.unref()
  }

  async #replace(): Promise<void> {
    if (this.#closed || this.#opening) return
    this.#opening = true
    try {
      const answer = await this.#request()
      const before = this.#stream
      this.#stream = undefined
      if (before !== undefined) this.#overlap.begin(before)
      this.#adopt(answer)
    } catch {
      if (this.#closed) return
      // A stream that is still open no longer proves anything.
      if (this.#stream !== undefined) {
        this.#drop()
        this.#gap()
        this.#options.subscriber.state('healing')
      }
      this.#reopen(backoff(pauses, ++this.#failures))
    } finally {
      this.#opening = false
    }
  }

  #onHealth({ type }: HealthEvent): void {
    if (this.#closed || (type !== 'lost' && type !== 'back')) return
    // A stalled daemon loses messages on streams that stay open: before it is back, and while it catches up.
    if (this.#stream !== undefined) this.#gap()
    // Also when it is back: the topic may have been joined meanwhile.
    this.#options.subscriber.state('healing')
    if (type === 'lost') return
    this.#drop()
    this.#reopen(0)
  }
}

/** Whether the other side closed the connection, so that it was not lost. */
function isOrderly(error: P2plError): boolean {
  return (error.cause as { code?: unknown } | undefined)?.code === 'UND_ERR_SOCKET'
}

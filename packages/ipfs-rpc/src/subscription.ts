import { base64url } from 'multiformats/bases/base64'
import type { IncomingMessage, P2plError, Subscriber, TransportSubscription } from '@p2pl/core/backend'
import type { HealthEvent } from '@p2pl/kubo'
import { type Answer, type CallKind, parseJson } from '@p2pl/kubo/rpc'
import type { Engine } from './engine.ts'
import { classify, failure, notRunning } from './errors.ts'

const operation = 'messages.subscribe'
const subscribing: CallKind = { operation, lane: 'stream', timeout: 15_000 }
const firstPause = 100
const longestPause = 5_000
const remembered = 256
/** Milliseconds within which the daemon gives back what was published on the topic. */
const echoTimeout = 5_000
/** Milliseconds that a message may come later by one stream than by another. */
const proofTimeout = 1_000
const maxHeld = 1_024

/**
 * One topic read from the daemon, by a stream of HTTP that is opened again, with a `gap`, whenever it ends.
 *
 * A connection that no longer carries anything looks exactly like a quiet topic. So a stream that was silent for long is
 * replaced. It stays open until the next message: when that comes by the new stream only, the old one was dead, and
 * messages may have been lost. A stream that does not give back what was published here is taken for dead at once.
 */
export class Subscription implements TransportSubscription {
  readonly #engine: Engine
  readonly #topic: string
  readonly #subscriber: Subscriber
  readonly #silence: number
  readonly #onClose: () => void
  readonly #unwatch: () => void
  // Two streams overlap while one replaces the other: keys of what came last.
  readonly #seen = new Set<string>()
  #stream: Answer | undefined
  /** The stream before, until the next message shows whether it still lives. */
  #old: Answer | undefined
  /** Messages that came by the new stream while the old one has not shown that it lives. */
  #held: IncomingMessage[] = []
  #closed = false
  #opening = false
  #failures = 0
  #reopening: NodeJS.Timeout | undefined
  #echo: NodeJS.Timeout | undefined
  #proof: NodeJS.Timeout | undefined

  /** `silence`: milliseconds after which a stream without a message is replaced. */
  constructor(engine: Engine, topic: string, subscriber: Subscriber, silence: number, onClose: () => void) {
    this.#engine = engine
    this.#topic = topic
    this.#subscriber = subscriber
    this.#silence = silence
    this.#onClose = onClose
    this.#unwatch = engine.kubo.health.on((event) => this.#onHealth(event))
  }

  get topic(): string {
    return this.#topic
  }

  /** Resolves when the daemon has joined the topic. */
  async open(signal: AbortSignal | undefined): Promise<void> {
    try {
      this.#adopt(await this.#request(signal))
    } catch (error) {
      await this.close()
      throw error
    }
  }

  async close(): Promise<void> {
    if (this.#closed) return
    this.#closed = true
    for (const timer of [this.#reopening, this.#echo, this.#proof]) clearTimeout(timer)
    this.#unwatch()
    this.#drop()
    this.#onClose()
  }

  /** A message was published on the topic here: the daemon gives it back, or the stream is dead. */
  expectEcho(): void {
    if (this.#closed || this.#stream === undefined) return
    this.#echo ??= setTimeout(() => this.#lost(), echoTimeout)
  }

  async #request(signal: AbortSignal | undefined): Promise<Answer> {
    // Not by the library: it ends after 300 s of silence, says nothing of an end in order, and bounds no line.
    return await this.#engine.rpc.request(subscribing, {
      path: 'pubsub/sub',
      query: new URLSearchParams({ arg: base64url.encode(new TextEncoder().encode(this.#topic)) }),
      signal
    })
  }

  #adopt(answer: Answer): void {
    this.#stream = answer
    if (this.#closed) this.#drop()
    else this.#watchSilence()
    void this.#read(answer)
  }

  async #read(answer: Answer): Promise<void> {
    let error: P2plError | undefined
    try {
      for await (const lines of answer.lines()) for (const line of lines) this.#onMessage(answer, line)
    } catch (thrown) {
      error = classify(operation, thrown)
      if (error.code === 'PROTOCOL') this.#engine.warn(`a subscription is opened again: ${error.message}`)
    }
    if (this.#closed) return
    if (answer === this.#stream) this.#lost()
    else if (answer !== this.#old) return
    // The end of a connection in order comes along it, as a message would have.
    else if (error === undefined || isOrderly(error)) this.#proved()
    else this.#disproved()
  }

  #onMessage(answer: Answer, line: string): void {
    const { message, key } = messageIn(line)
    if (this.#closed || (answer !== this.#stream && answer !== this.#old)) return
    this.#failures = 0
    if (answer === this.#old) this.#proved()
    else {
      clearTimeout(this.#echo)
      this.#echo = undefined
      this.#watchSilence()
    }
    if (key !== undefined && !this.#remember(key)) return
    if (this.#old === undefined) {
      this.#subscriber.message(message)
      return
    }
    this.#held.push(message)
    if (this.#held.length > maxHeld) this.#disproved()
    else this.#proof ??= setTimeout(() => this.#disproved(), proofTimeout)
  }

  /** Whether the key is new. */
  #remember(key: string): boolean {
    if (this.#seen.has(key)) return false
    this.#seen.add(key)
    if (this.#seen.size > remembered)
      for (const oldest of this.#seen) {
        this.#seen.delete(oldest)
        break
      }
    return true
  }

  /** The old stream lives, so it has missed nothing. */
  #proved(): void {
    clearTimeout(this.#proof)
    this.#proof = undefined
    this.#old?.fail(notRunning(operation))
    this.#old = undefined
    for (const message of this.#held.splice(0)) this.#subscriber.message(message)
  }

  #disproved(): void {
    this.#subscriber.gap({ reason: 'disconnected' })
    this.#proved()
  }

  /** The stream is gone or dead: messages from now on until it is open again are lost. */
  #lost(): void {
    clearTimeout(this.#echo)
    this.#echo = undefined
    this.#drop()
    if (this.#closed) return
    this.#subscriber.gap({ reason: 'disconnected' })
    this.#reopen(0)
  }

  #drop(): void {
    const [stream, old] = [this.#stream, this.#old]
    this.#stream = undefined
    this.#old = undefined
    stream?.fail(notRunning(operation))
    old?.fail(notRunning(operation))
    clearTimeout(this.#proof)
    this.#proof = undefined
    const held = this.#held.splice(0)
    if (!this.#closed) for (const message of held) this.#subscriber.message(message)
  }

  #reopen(pause: number): void {
    clearTimeout(this.#reopening)
    this.#reopening = setTimeout(() => void this.#replace(), pause)
  }

  #watchSilence(): void {
    this.#reopen(this.#silence)
    this.#reopening?.unref()
  }

  async #replace(): Promise<void> {
    if (this.#closed || this.#opening) return
    this.#opening = true
    try {
      const answer = await this.#request(this.#engine.life)
      const before = this.#stream
      if (before !== undefined) {
        // Silent more than once in a row: the oldest stream is the one that tells whether something was missed.
        this.#stream = undefined
        if (this.#old !== undefined) before.fail(notRunning(operation))
        this.#old ??= before
      }
      this.#adopt(answer)
    } catch {
      if (this.#closed) return
      // A stream that is still open proves nothing any more.
      if (this.#stream !== undefined) {
        this.#drop()
        this.#subscriber.gap({ reason: 'disconnected' })
      }
      this.#reopen(Math.min(longestPause, firstPause * 2 ** Math.min(this.#failures++, 10)))
    } finally {
      this.#opening = false
    }
  }

  #onHealth({ type }: HealthEvent): void {
    if (this.#closed || (type !== 'lost' && type !== 'back')) return
    // A daemon that stood still loses messages on streams that stay open: before it is back, and while it catches up.
    if (this.#stream !== undefined) this.#subscriber.gap({ reason: 'disconnected' })
    if (type === 'back') {
      this.#drop()
      this.#reopen(0)
    }
  }
}

/** Whether the connection was closed by the other side, and not lost. */
function isOrderly(error: P2plError): boolean {
  return (error.cause as { code?: unknown } | undefined)?.code === 'UND_ERR_SOCKET'
}

function messageIn(line: string): { message: IncomingMessage; key: string | undefined } {
  const { from, data, seqno } = parseJson(operation, line)
  if (typeof data !== 'string' || !data.startsWith('u'))
    throw failure('PROTOCOL', operation, 'a message of the daemon has no data in base64url')
  const payload = Buffer.from(data.slice(1), 'base64url')
  return {
    message: {
      payload: new Uint8Array(payload.buffer, payload.byteOffset, payload.byteLength),
      ...(typeof from === 'string' ? { from } : {})
    },
    key: typeof seqno === 'string' ? `${String(from)}/${seqno}` : undefined
  }
}

import { base64url } from 'multiformats/bases/base64'
import type { IncomingMessage as Message, Subscriber, TransportSubscription } from '@p2pl/core/backend'
import type { Engine } from './engine.ts'
import { classify, failure, notRunning } from './errors.ts'
import type { Call } from './rpc/call.ts'
import { LineSplitter, parseJson } from './rpc/lines.ts'
import type { CallKind } from './rpc/transport.ts'

const operation = 'messages.subscribe'
const subscribing: CallKind = { operation, lane: 'stream', timeout: 15_000 }
const maxLineBytes = 4 * 1024 * 1024
const firstPause = 100
const maxPause = 5_000
const remembered = 256

/**
 * One topic read from the daemon. The stream is opened again whenever it ends, with a `gap`; when it is silent for
 * long it is replaced while it is still open, without one, because a dead connection looks exactly like a quiet topic.
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
  #stream: Call | undefined
  #closed = false
  #failures = 0
  #timer: NodeJS.Timeout | undefined
  #opening = false

  /** `silence`: milliseconds after which a stream without a message is replaced. */
  constructor(engine: Engine, topic: string, subscriber: Subscriber, silence: number, onClose: () => void) {
    this.#engine = engine
    this.#topic = topic
    this.#subscriber = subscriber
    this.#silence = silence
    this.#onClose = onClose
    this.#unwatch = engine.watch((state) => this.#onEngine(state))
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
    clearTimeout(this.#timer)
    this.#unwatch()
    this.#stream?.fail(notRunning(operation))
    this.#stream = undefined
    this.#onClose()
  }

  async #request(signal: AbortSignal | undefined): Promise<Call> {
    // Not the library's: it ends after 300 s of silence, says nothing of an end in order, and bounds no line.
    return await this.#engine.rpc.request(subscribing, {
      path: 'pubsub/sub',
      query: new URLSearchParams({ arg: base64url.encode(new TextEncoder().encode(this.#topic)) }),
      signal
    })
  }

  #adopt(call: Call): void {
    const old = this.#stream
    this.#stream = call
    old?.fail(notRunning(operation))
    if (this.#closed) {
      call.fail(notRunning(operation))
      return
    }
    this.#watchSilence()
    const splitter = new LineSplitter(operation, maxLineBytes)
    call.response.on('data', (chunk: Buffer) => {
      if (call !== this.#stream) return
      this.#watchSilence()
      try {
        for (const line of splitter.push(chunk)) this.#deliver(line)
      } catch (error) {
        this.#engine.warn(`a subscription is opened again: ${classify(operation, error).message}`)
        call.fail(classify(operation, error))
      }
    })
    const onEnd = (): void => {
      call.end()
      if (call === this.#stream) this.#lost()
    }
    call.response.on('end', onEnd)
    call.response.on('close', onEnd)
    // It may have ended before anybody listened.
    if (call.response.destroyed) onEnd()
  }

  #deliver(line: string): void {
    const { from, data, seqno } = parseJson(operation, line)
    if (typeof data !== 'string' || !data.startsWith('u'))
      throw failure('PROTOCOL', operation, 'a message of the daemon has no data in base64url')
    this.#failures = 0
    if (typeof seqno === 'string') {
      const key = `${String(from)}/${seqno}`
      if (this.#seen.has(key)) return
      this.#seen.add(key)
      if (this.#seen.size > remembered)
        for (const oldest of this.#seen) {
          this.#seen.delete(oldest)
          break
        }
    }
    if (this.#closed) return
    const payload = Buffer.from(data.slice(1), 'base64url')
    const message: Message = {
      payload: new Uint8Array(payload.buffer, payload.byteOffset, payload.byteLength),
      ...(typeof from === 'string' ? { from } : {})
    }
    this.#subscriber.message(message)
  }

  /** The stream is gone: messages from now on until it is open again are lost. */
  #lost(): void {
    this.#stream = undefined
    if (this.#closed) return
    this.#subscriber.gap({ reason: 'disconnected' })
    this.#reopen(0)
  }

  #reopen(pause: number): void {
    clearTimeout(this.#timer)
    this.#timer = setTimeout(() => void this.#replace(), pause)
  }

  async #replace(): Promise<void> {
    if (this.#closed || this.#opening) return
    this.#opening = true
    try {
      this.#adopt(await this.#request(this.#engine.life))
    } catch {
      if (this.#closed) return
      // The old stream, if there is one, proves nothing any more.
      const had = this.#stream
      this.#stream = undefined
      had?.fail(notRunning(operation))
      if (had !== undefined) this.#subscriber.gap({ reason: 'disconnected' })
      this.#reopen(Math.min(maxPause, firstPause * 2 ** Math.min(this.#failures++, 10)))
    } finally {
      this.#opening = false
    }
  }

  #watchSilence(): void {
    clearTimeout(this.#timer)
    this.#timer = setTimeout(() => void this.#replace(), this.#silence)
    this.#timer.unref()
  }

  #onEngine(state: 'lost' | 'back'): void {
    if (this.#closed) return
    // A daemon that stood still loses messages on streams that stay open: before it is back, and while it catches up.
    if (this.#stream !== undefined) this.#subscriber.gap({ reason: 'disconnected' })
    if (state === 'back') this.#reopen(0)
  }
}

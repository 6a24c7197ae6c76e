import type { CallOptions, Codec } from '@p2pl/core'
import { describe, invalidArgument, Listeners } from '@p2pl/core/backend'
import type { Channel, Request, RoomMessage, SendOptions } from './api.ts'
import { failure } from './errors.ts'

/** The parts of a room that its channels need. */
export interface Hub {
  send(channel: string, payload: Uint8Array, options: SendOptions): Promise<void>
  request(channel: string, to: string, payload: Uint8Array, options: CallOptions): Promise<Uint8Array>
  /** Called for the first listener, which gets the messages that have come so far. */
  onListener(channel: string): void
}

type Handler<T> = (payload: T, request: Request) => T | Promise<T>
type Head = Omit<RoomMessage<unknown>, 'payload' | 'channel'>

/** A channel with its codec. */
export class RoomChannel<T> implements Channel<T> {
  readonly name: string
  readonly codec: Codec<T>
  readonly #hub: Hub
  readonly #listeners = new Listeners<RoomMessage<T>>()
  #handler: Handler<T> | undefined

  constructor(name: string, codec: Codec<T>, hub: Hub) {
    this.name = name
    this.codec = codec
    this.#hub = hub
  }

  get listened(): boolean {
    return this.#listeners.size > 0
  }

  async send(payload: T, options: SendOptions = {}): Promise<void> {
    await this.#hub.send(this.name, this.#encode('send', payload), options)
  }

  onMessage(listener: (message: RoomMessage<T>) => void): () => void {
    const remove = this.#listeners.add('onMessage', listener)
    this.#hub.onListener(this.name)
    return remove
  }

  async request(to: string, payload: T, options: CallOptions = {}): Promise<T> {
    const answer = await this.#hub.request(this.name, to, this.#encode('request', payload), options)
    return this.#decode('request', answer)
  }

  onRequest(handler: Handler<T>): () => void {
    if (typeof handler !== 'function') {
      throw invalidArgument('onRequest', `onRequest: give it a function, not ${describe(handler)}`)
    }
    if (this.#handler !== undefined) {
      throw invalidArgument(
        'onRequest',
        `channel "${this.name}" has a handler already: remove that one first, or use another channel`
      )
    }
    this.#handler = handler
    return () => {
      if (this.#handler === handler) this.#handler = undefined
    }
  }

  /** Throws `INVALID_CONTENT` for bytes that the codec refuses. */
  deliver(bytes: Uint8Array, head: Head): void {
    this.#listeners.emit({ ...head, channel: this.name, payload: this.#decode('message', bytes) })
  }

  async answer(bytes: Uint8Array, request: Request): Promise<Uint8Array> {
    if (this.#handler === undefined) throw failure('UNSUPPORTED', 'request', `it answers no requests on "${this.name}"`)
    let payload: T
    try {
      payload = this.codec.decode(bytes)
    } catch {
      throw invalidArgument('request', `the codec ${this.codec.name} cannot read the request`)
    }
    return this.codec.encode(await this.#handler(payload, request))
  }

  #encode(operation: string, payload: T): Uint8Array {
    try {
      return this.codec.encode(payload)
    } catch (cause) {
      throw invalidArgument(operation, `the codec ${this.codec.name} cannot write this payload: ${String(cause)}`)
    }
  }

  #decode(operation: string, bytes: Uint8Array): T {
    try {
      return this.codec.decode(bytes)
    } catch (cause) {
      throw failure('INVALID_CONTENT', operation, `the codec ${this.codec.name} cannot read a payload`, cause)
    }
  }
}

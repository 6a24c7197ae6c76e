import { P2plError } from '@p2pl/core'
import type { Codec } from '@p2pl/core'
import { describe, isBytes, plainBytes } from '@p2pl/core/backend'
import type { HistoryMessage } from './api.ts'
import type { Logged } from './log.ts'

export type Presented<T> = Omit<HistoryMessage<T>, 'history' | 'cursor'>

/** Converts between the values of an app and the bytes of messages. */
export class Presenter<T> {
  readonly #topic: string
  readonly #codec: Codec<T> | undefined

  constructor(topic: string, codec: Codec<T> | undefined) {
    this.#topic = topic
    this.#codec = codec
    if (codec === undefined || (typeof codec?.encode === 'function' && typeof codec.decode === 'function')) return
    throw wrong('topicWithHistory', 'a codec is { name, encode, decode }, such as json and text of @p2pl/core')
  }

  encode(payload: T): Uint8Array {
    if (this.#codec === undefined) {
      if (isBytes(payload)) return plainBytes(payload)
      const fix = 'for other values give the topic a codec: topicWithHistory({ codec: json, … })'
      throw wrong('publish', `a payload is a Uint8Array, not ${describe(payload)}; ${fix}`)
    }
    let bytes: unknown
    try {
      bytes = this.#codec.encode(payload)
    } catch (cause) {
      throw wrong('publish', `the codec "${this.#codec.name}" cannot encode the payload: ${String(cause)}`, cause)
    }
    if (isBytes(bytes)) return plainBytes(bytes)
    void Promise.resolve(bytes).catch(() => undefined)
    throw wrong('publish', `the codec "${this.#codec.name}" must encode to a Uint8Array, not ${describe(bytes)}`)
  }

  /** Returns `undefined` for bytes that the codec refuses. */
  message({ entry, frame }: Omit<Logged, 'place' | 'live'>, payload: Uint8Array): Presented<T> | undefined {
    const { content, headers } = frame
    let value: unknown = payload
    try {
      if (this.#codec !== undefined) value = this.#codec.decode(payload)
    } catch {
      return undefined
    }
    if (value instanceof Promise) {
      value.catch(() => undefined)
      throw wrong('subscribe', `the codec "${this.#codec?.name}" must decode at once: it gave a promise`)
    }
    return {
      type: 'message',
      topic: this.#topic,
      payload: value as T,
      sender: entry.author,
      id: entry.cid.toString(),
      clock: entry.clock,
      headers,
      cid: content instanceof Uint8Array ? undefined : content.cid
    }
  }
}

export function wrong(operation: string, message: string, cause?: unknown): P2plError {
  return new P2plError({ code: 'INVALID_ARGUMENT', operation, cause, message: `${operation}: ${message}` })
}

import type { Codec } from './api/topic.ts'

const encoder = new TextEncoder()
// A byte order mark at the beginning is part of the text.
const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

/** The reason why half a surrogate pair is refused: UTF-8 cannot encode it, so the text would arrive changed. */
export const halfPair =
  'the text has half a surrogate pair, which UTF-8 cannot write: see String.prototype.toWellFormed'

/** Payloads that are UTF-8 text. Refuses bytes that are not UTF-8, and text with half a surrogate pair. */
export const text: Codec<string> = {
  name: 'text',
  encode: (value) => {
    if (typeof value !== 'string') throw new TypeError(`expected text, not ${typeof value}`)
    if (!value.isWellFormed()) throw new TypeError(halfPair)
    return encoder.encode(value)
  },
  decode: (bytes) => decoder.decode(bytes)
}

/**
 * Anything that `JSON.stringify` accepts. The app states the type (`peer.topic<Move>('game', { codec: json })`); nothing
 * checks the values that arrive.
 */
// oxlint-disable-next-line typescript/no-explicit-any -- `unknown` would make every app cast
export const json: Codec<any> = {
  name: 'json',
  encode: (value) => {
    const written = JSON.stringify(value) as string | undefined
    if (written === undefined)
      throw new TypeError(`JSON has no form for ${value === undefined ? 'undefined' : `a ${typeof value}`}`)
    return encoder.encode(written)
  },
  decode: (bytes) => JSON.parse(decoder.decode(bytes)) as unknown
}

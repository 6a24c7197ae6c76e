import { xchacha20poly1305 } from '@noble/ciphers/chacha.js'
import { systemClock } from '@p2pl/core'
import { failure } from '../errors.ts'

/** Bytes of content in a chunk. */
const chunkLength = 64 * 1024
const tagLength = 16
const maxChunks = 2 ** 32
/** Chunks that are encrypted before others have a turn: some milliseconds. */
const chunksPerTurn = 8

/** Bytes of a sealed stream with this many bytes of content. */
export function sealedLength(length: number): number {
  return length + tagLength * Math.max(1, Math.ceil(length / chunkLength))
}

/** 19 zero bytes (the key is used once), the number of the chunk, and whether it is the last: the STREAM construction. */
function nonce(index: number, last: boolean): Uint8Array {
  if (index >= maxChunks) throw failure('TOO_LARGE', 'seal', 'a sealed stream has at most 2^32 chunks of 64 KiB')
  const bytes = new Uint8Array(24)
  new DataView(bytes.buffer).setUint32(19, index)
  bytes[23] = last ? 1 : 0
  return bytes
}

/**
 * XChaCha20-Poly1305 in chunks of 64 KiB. They cannot be reordered, exchanged or cut off unnoticed (STREAM; Hoang, Reyhanitabar,
 * Rogaway and Vizár, 2015). Use a key for one stream only.
 */
export async function* sealStream(key: Uint8Array, source: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  let index = 0
  for await (const { chunk, last } of chunks(source, chunkLength)) {
    yield xchacha20poly1305(key, nonce(index++, last)).encrypt(chunk)
    if (index % chunksPerTurn === 0) await turn()
  }
}

/** The content of a sealed stream. Throws `INVALID_CONTENT` at the first chunk that was not sealed with this key in this place. */
export async function* openStream(key: Uint8Array, source: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  let index = 0
  for await (const { chunk, last } of chunks(source, chunkLength + tagLength)) {
    let opened: Uint8Array
    try {
      opened = xchacha20poly1305(key, nonce(index++, last)).decrypt(chunk)
    } catch (cause) {
      throw failure(
        'INVALID_CONTENT',
        'open',
        'the sealed content is damaged, cut off, or sealed with another key',
        cause
      )
    }
    yield opened
    if (index % chunksPerTurn === 0) await turn()
  }
}

/** Pieces of equal length; the last is shorter or as long, and known to be the last. An empty source is one empty piece. */
async function* chunks(
  source: AsyncIterable<Uint8Array>,
  length: number
): AsyncGenerator<{ chunk: Uint8Array; last: boolean }> {
  let piece = new Uint8Array(length)
  let filled = 0
  for await (const part of source) {
    for (let at = 0; at < part.byteLength;) {
      if (filled === length) {
        yield { chunk: piece, last: false }
        piece = new Uint8Array(length)
        filled = 0
      }
      const some = part.subarray(at, at + length - filled)
      piece.set(some, filled)
      filled += some.byteLength
      at += some.byteLength
    }
  }
  yield { chunk: piece.subarray(0, filled), last: true }
}

/** Lets timers and input have a turn. */
async function turn(): Promise<void> {
  await new Promise<void>((resolve) => {
    systemClock.nextTurn(resolve)
  })
}

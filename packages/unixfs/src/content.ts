import type { DataSource } from '@p2pl/core'
import { invalidArgument } from '@p2pl/core/backend'
import { untilAborted } from './progress-deadline.ts'

const pieceBytes = 1024 * 1024

/**
 * The bytes of any source, in pieces. Ends as soon as the signal fires, also while the source is silent; what the
 * source throws is thrown as it is. Pieces of iterables and streams are copied: the importer keeps them, and their
 * source may use the memory again.
 */
export async function* contentOf(
  source: DataSource | undefined,
  signal: AbortSignal,
  operation: string,
  onBytes: (bytes: number) => void
): AsyncGenerator<Uint8Array> {
  const iterator = piecesOf(source, operation)
  const stable = source instanceof Uint8Array || (typeof Blob === 'function' && source instanceof Blob)
  let exhausted = false
  try {
    for (;;) {
      const item = await untilAborted(iterator.next(), signal, operation)
      if (item.done === true) {
        exhausted = true
        return
      }
      const piece: unknown = item.value
      if (!(piece instanceof Uint8Array)) {
        throw invalidArgument(operation, 'a source yielded something else than a Uint8Array')
      }
      onBytes(piece.byteLength)
      if (piece.byteLength > 0) yield stable ? piece : Uint8Array.from(piece)
    }
  } finally {
    // Nobody waits: a source that hangs would hold up the error that is to be reported.
    if (!exhausted) void end(iterator).catch(() => undefined)
  }
}

async function end(iterator: AsyncIterator<Uint8Array>): Promise<void> {
  await iterator.return?.()
}

function piecesOf(source: DataSource | undefined, operation: string): AsyncIterator<Uint8Array> {
  if (source instanceof Uint8Array) return each([source])
  if (typeof Blob === 'function' && source instanceof Blob) return blobPieces(source)
  if (typeof source === 'object' && source !== null) {
    if ('getReader' in source) {
      if (source.locked)
        throw invalidArgument(operation, 'the stream is locked: somebody else reads it. Give one that nobody reads yet')
      return streamPieces(source)
    }
    if (Symbol.asyncIterator in source) return source[Symbol.asyncIterator]() as AsyncIterator<Uint8Array>
    if (Symbol.iterator in source) return each(source)
  }
  if (typeof source === 'string')
    throw invalidArgument(operation, 'the content is text: give its bytes, new TextEncoder().encode(text)')
  throw invalidArgument(
    operation,
    'the content must be a Uint8Array, a Blob, a ReadableStream, or an (async) iterable of Uint8Array'
  )
}

async function* each(pieces: Iterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  yield* pieces
}

async function* blobPieces(blob: Blob): AsyncGenerator<Uint8Array> {
  for (let start = 0; start < blob.size; start += pieceBytes) {
    yield new Uint8Array(await blob.slice(start, start + pieceBytes).arrayBuffer())
  }
}

function streamPieces(stream: ReadableStream<Uint8Array>): AsyncIterator<Uint8Array> {
  const reader = stream.getReader()
  return {
    async next() {
      const item = await reader.read()
      return item.done ? { done: true, value: undefined } : { done: false, value: item.value }
    },
    async return() {
      await reader.cancel()
      return { done: true, value: undefined }
    }
  }
}

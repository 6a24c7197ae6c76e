import type { DataSource } from '../api/data.ts'
import { halfPair } from '../codecs.ts'
import { invalidArgument } from '../errors.ts'
import { isBytes, plainBytes } from '../toolbox/bytes.ts'
import { describe } from '../toolbox/options.ts'

/** The pieces of a source. Unless they are stable, the source may change a piece once it is asked for the next one. */
export interface Pieces {
  readonly iterator: AsyncIterator<Uint8Array>
  /** Bytes in total, if known beforehand. */
  readonly total: number | undefined
  /** Whether a piece never changes; views of it then need no copy. */
  readonly stable: boolean
}

/** Opens any source. Sources that can be sliced are read in slices of `pieceBytes`. */
export function openSource(source: DataSource, pieceBytes: number, operation: string): Pieces {
  if (typeof source === 'string') {
    if (!source.isWellFormed()) throw invalidArgument(operation, `${operation}: ${halfPair}`)
    return openSource(new TextEncoder().encode(source), pieceBytes, operation)
  }
  if (isBytes(source)) return { iterator: once(plainBytes(source)), total: source.byteLength, stable: true }
  if (typeof Blob === 'function' && source instanceof Blob) {
    return { iterator: blobPieces(source, pieceBytes), total: source.size, stable: true }
  }
  if (isReadableStream(source)) {
    if (source.locked) {
      throw invalidArgument(
        operation,
        `${operation}: the stream is locked to another reader: release its lock, or give another stream`
      )
    }
    return { iterator: streamPieces(source), total: undefined, stable: false }
  }
  if (typeof source === 'object' && source !== null) {
    if (Symbol.asyncIterator in source) {
      return { iterator: source[Symbol.asyncIterator](), total: undefined, stable: false }
    }
    if (Symbol.iterator in source) return { iterator: syncPieces(source), total: undefined, stable: false }
  }
  throw invalidArgument(
    operation,
    `${operation}: the source must be text, a Uint8Array, a Blob, a ReadableStream, or an (async) iterable of Uint8Array, not ${describe(source)}`
  )
}

async function* once(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes
}

async function* blobPieces(blob: Blob, pieceBytes: number): AsyncGenerator<Uint8Array> {
  for (let start = 0; start < blob.size; start += pieceBytes) {
    yield new Uint8Array(await blob.slice(start, start + pieceBytes).arrayBuffer())
  }
}

async function* syncPieces(source: Iterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  yield* source
}

function streamPieces(stream: ReadableStream<Uint8Array>): AsyncIterator<Uint8Array> {
  const reader = stream.getReader()
  return {
    async next() {
      const item = await reader.read()
      return item.done ? { done: true, value: undefined } : { done: false, value: item.value }
    },
    async return() {
      // `cancel` also ends a pending `read`. An async generator around the reader could not do that.
      await reader.cancel()
      return { done: true, value: undefined }
    }
  }
}

function isReadableStream(source: unknown): source is ReadableStream<Uint8Array> {
  return typeof source === 'object' && source !== null && typeof (source as ReadableStream).getReader === 'function'
}

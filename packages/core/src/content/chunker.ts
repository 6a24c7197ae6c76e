import { invalidArgument, type P2plError } from '../errors.ts'
import { isBytes, plainBytes } from '../toolbox/bytes.ts'
import { describe } from '../toolbox/options.ts'
import type { Pieces } from './source.ts'

const firstBufferBytes = 64 * 1024

/**
 * Cuts a source into chunks of exactly `chunkBytes`; the last chunk may be shorter. Empty content has no chunks. Stable
 * pieces become views. All other pieces are copied once, because their owner may reuse the memory.
 */
export async function* chunksOf(
  pieces: Pieces,
  chunkBytes: number,
  next: () => Promise<IteratorResult<Uint8Array>>,
  operation: string
): AsyncGenerator<Uint8Array> {
  let buffer: Uint8Array | undefined
  let filled = 0
  let seen = 0
  let long = false
  for (let item = await next(); item.done !== true; item = await next()) {
    if (!isBytes(item.value)) throw notBytes(operation, item.value)
    const piece = plainBytes(item.value)
    let at = 0
    seen += piece.byteLength
    if (pieces.stable && filled === 0) {
      for (; piece.byteLength - at >= chunkBytes; at += chunkBytes) yield piece.subarray(at, at + chunkBytes)
      // The rest of the last piece is the last chunk. The rest of any other piece starts the next chunk.
      if (seen === pieces.total) {
        if (at < piece.byteLength) yield piece.subarray(at)
        continue
      }
    }
    while (at < piece.byteLength) {
      const take = Math.min(chunkBytes - filled, piece.byteLength - at)
      buffer = withRoom(buffer, filled, take, chunkBytes, long)
      buffer.set(piece.subarray(at, at + take), filled)
      filled += take
      at += take
      if (filled === chunkBytes) {
        yield buffer
        buffer = undefined
        filled = 0
        long = true
      }
    }
  }
  // A short view would keep the whole buffer alive in a store that holds it.
  if (buffer !== undefined && filled > 0)
    yield filled * 2 > buffer.byteLength ? buffer.subarray(0, filled) : buffer.slice(0, filled)
}

/** The buffer grows with a short source. A long source gets full-size buffers. */
function withRoom(
  buffer: Uint8Array | undefined,
  filled: number,
  take: number,
  chunkBytes: number,
  long: boolean
): Uint8Array {
  if (buffer !== undefined && buffer.byteLength >= filled + take) return buffer
  const size = long ? chunkBytes : Math.min(chunkBytes, Math.max(firstBufferBytes, 2 * (filled + take)))
  const grown = new Uint8Array(size)
  if (buffer !== undefined) grown.set(buffer.subarray(0, filled))
  return grown
}

function notBytes(operation: string, value: unknown): P2plError {
  const hint =
    typeof value === 'string' ? '; encode text with a TextEncoder, or read the stream without an encoding' : ''
  const given = typeof value === 'string' ? 'text' : describe(value)
  return invalidArgument(operation, `${operation}: the source has to yield Uint8Arrays, and gave ${given}${hint}`)
}

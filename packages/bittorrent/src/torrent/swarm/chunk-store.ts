import type { ChunkStore, ChunkStoreClass } from 'webtorrent'

/** Where the bytes of a torrent's file are. */
export interface PieceStore {
  /** Rejects when a part of it is not here. */
  read(start: number, length: number): Promise<Uint8Array>
  /**
   * Stores a whole piece that matches the torrent. Rejects when it is not what was wanted; then the torrent is given
   * up.
   */
  write(index: number, bytes: Uint8Array): Promise<void>
}

/** The store in the form that the library needs (abstract-chunk-store). */
export function chunkStore(pieces: PieceStore, length: () => number): ChunkStoreClass {
  return class implements ChunkStore {
    readonly chunkLength: number

    constructor(chunkLength: number) {
      this.chunkLength = chunkLength
    }

    get(index: number, options: Range | Done | null, done?: Done): void {
      const range = typeof options === 'function' ? {} : (options ?? {})
      const finish = typeof options === 'function' ? options : (done ?? (() => {}))
      const start = index * this.chunkLength
      const offset = range.offset ?? 0
      const size = range.length ?? Math.min(this.chunkLength, length() - start) - offset
      void settle(pieces.read(start + offset, size), finish)
    }

    put(index: number, bytes: Uint8Array, done: (error: Error | null) => void = () => {}): void {
      void settle(pieces.write(index, bytes), done)
    }

    close(done: (error: Error | null) => void = () => {}): void {
      done(null)
    }

    destroy(done: (error: Error | null) => void = () => {}): void {
      done(null)
    }
  }
}

type Range = { readonly offset?: number; readonly length?: number }
type Done = (error: Error | null, bytes?: Uint8Array) => void

async function settle<T>(promise: Promise<T>, done: (error: Error | null, value?: T) => void): Promise<void> {
  let error: Error | null = null
  let value: T | undefined
  try {
    value = await promise
  } catch (cause) {
    error = cause instanceof Error ? cause : new Error(String(cause))
  }
  try {
    done(error, value)
  } catch {
    // The wire ended meanwhile. The library's error must not reach the process.
  }
}

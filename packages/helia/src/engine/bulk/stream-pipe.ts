import type { Stream } from '@libp2p/interface'
import { concatBytes } from '@p2pl/core/backend'
import { type Pipe, type PipeEvents, sendTimeout } from './pipe.ts'

/** The most bytes that the muxer puts into one frame. */
const piece = 64 * 1024

/** A pipe on a stream of libp2p. */
export class StreamPipe implements Pipe {
  readonly #stream: Stream
  #ended = false

  constructor(stream: Stream, { data, end }: PipeEvents) {
    this.#stream = stream
    const ended = (): void => {
      if (this.#ended) return
      this.#ended = true
      this.close()
      end()
    }
    stream.addEventListener('message', ({ data: bytes }) => {
      if (bytes instanceof Uint8Array) data(bytes)
      else for (const part of bytes) data(part)
    })
    stream.addEventListener('end', ended)
    stream.addEventListener('close', ended)
  }

  get open(): boolean {
    return !this.#ended && this.#stream.status === 'open' && this.#stream.writeStatus === 'writable'
  }

  send(parts: readonly Uint8Array[]): boolean {
    // Each call makes at least one frame of the muxer, so small parts are sent together.
    let together: Uint8Array[] = []
    let size = 0
    let writable = true
    const flush = (): void => {
      if (size > 0)
        writable = this.#stream.send(together.length === 1 ? (together[0] as Uint8Array) : concatBytes(...together))
      together = []
      size = 0
    }
    for (let part of parts) {
      while (size + part.byteLength > piece) {
        const head = part.subarray(0, piece - size)
        together.push(head)
        size += head.byteLength
        part = part.subarray(head.byteLength)
        flush()
        if (part.byteLength <= piece) continue
        const whole = part.subarray(0, part.byteLength - (part.byteLength % piece))
        writable = this.#stream.send(whole)
        part = part.subarray(whole.byteLength)
      }
      together.push(part)
      size += part.byteLength
    }
    flush()
    return writable
  }

  async drained(): Promise<void> {
    await this.#stream.onDrain({ signal: AbortSignal.timeout(sendTimeout) })
  }

  close(): void {
    this.#stream.close({ signal: AbortSignal.timeout(sendTimeout) }).catch((error: Error) => this.#stream.abort(error))
  }

  abort(error: Error): void {
    this.#stream.abort(error)
  }
}

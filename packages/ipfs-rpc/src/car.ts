import { CID } from 'multiformats/cid'
import type { Block } from '@p2pl/core/backend'
import { failure } from './errors.ts'

const maxHeaderBytes = 64 * 1024
const maxCidBytes = 256

/** The blocks of a CAR (version 1), one in memory at a time. Hashes are not checked: core does. */
export async function* readCar(
  operation: string,
  chunks: AsyncIterable<Uint8Array>,
  maxBlockBytes: number
): AsyncGenerator<Block, void, undefined> {
  const reader = new ByteReader(operation, chunks)
  try {
    const headerLength = await reader.varint()
    if (headerLength === undefined) throw broken(operation, 'it is empty')
    if (headerLength > maxHeaderBytes) throw broken(operation, `its header has ${headerLength} bytes`)
    await reader.take(headerLength)
    for (;;) {
      const length = await reader.varint()
      if (length === undefined) return
      if (length === 0) continue
      if (length > maxBlockBytes + maxCidBytes) throw broken(operation, `it holds a section of ${length} bytes`)
      yield section(operation, await reader.take(length))
    }
  } finally {
    await reader.close()
  }
}

function section(operation: string, bytes: Buffer): Block {
  try {
    const [cid, rest] = CID.decodeFirst(bytes)
    return { cid, bytes: rest }
  } catch (cause) {
    throw broken(operation, 'a section does not begin with a CID', cause)
  }
}

function broken(operation: string, what: string, cause?: unknown): Error {
  return failure('PROTOCOL', operation, `the daemon's answer to ${operation} is not a CAR: ${what}`, { cause })
}

/** Takes exact numbers of bytes off a stream. */
class ByteReader {
  readonly #operation: string
  readonly #source: AsyncIterator<Uint8Array>
  #chunk: Buffer = Buffer.alloc(0)

  constructor(operation: string, source: AsyncIterable<Uint8Array>) {
    this.#operation = operation
    this.#source = source[Symbol.asyncIterator]()
  }

  /** `undefined` at the end of the stream. */
  async varint(): Promise<number | undefined> {
    let value = 0
    for (let scale = 1; ; scale *= 128) {
      if (this.#chunk.length === 0 && !(await this.#more())) {
        if (scale === 1) return undefined
        throw broken(this.#operation, 'it ends within a length')
      }
      const byte = this.#chunk[0] ?? 0
      this.#chunk = this.#chunk.subarray(1)
      value += (byte & 0x7f) * scale
      if (byte < 0x80) return value
      if (scale >= 2 ** 42) throw broken(this.#operation, 'a length has more than seven bytes')
    }
  }

  async take(length: number): Promise<Buffer> {
    if (this.#chunk.length >= length) {
      const taken = Buffer.from(this.#chunk.subarray(0, length))
      this.#chunk = this.#chunk.subarray(length)
      return taken
    }
    const taken = Buffer.allocUnsafeSlow(length)
    let filled = 0
    while (filled < length) {
      if (this.#chunk.length === 0 && !(await this.#more())) throw broken(this.#operation, 'it ends within a section')
      const part = Math.min(length - filled, this.#chunk.length)
      this.#chunk.copy(taken, filled, 0, part)
      this.#chunk = this.#chunk.subarray(part)
      filled += part
    }
    return taken
  }

  async close(): Promise<void> {
    await this.#source.return?.()
  }

  async #more(): Promise<boolean> {
    const next = await this.#source.next()
    if (next.done === true) return false
    const { buffer, byteOffset, byteLength } = next.value
    this.#chunk = Buffer.from(buffer, byteOffset, byteLength)
    return true
  }
}

import type { Bytes } from './bytes.ts'
import { digestBytes, linkPrefix } from './cid.ts'

/** Thrown for bytes that are not the one canonical encoding; never leaves this package. */
export class Malformed extends Error {
  override readonly name: string = 'Malformed'
}

const encoder = new TextEncoder()
const decoder = new TextDecoder('utf-8', { fatal: true })

/** Bytes that a head of this value takes. */
export function headBytes(value: number): number {
  if (value < 24) return 1
  if (value < 0x100) return 2
  if (value < 0x1_0000) return 3
  return value < 0x1_0000_0000 ? 5 : 9
}

/**
 * The part of DAG-CBOR that entries, nodes and messages use: unsigned integers, byte and text strings, arrays, links.
 * Written by hand because an entry is encoded and checked in a fraction of what a general codec takes, and because a
 * reader that knows only one form per value needs no re-encoding to be strict. A test holds it against `@ipld/dag-cbor`.
 */
export class Writer {
  #buffer: Bytes
  #length = 0

  constructor(capacity = 256) {
    this.#buffer = new Uint8Array(capacity)
  }

  #reserve(bytes: number): number {
    const start = this.#length
    this.#length += bytes
    if (this.#length > this.#buffer.length) {
      const larger = new Uint8Array(Math.max(this.#length, this.#buffer.length * 2))
      larger.set(this.#buffer.subarray(0, start))
      this.#buffer = larger
    }
    return start
  }

  #head(major: number, value: number): this {
    const bytes = headBytes(value)
    const at = this.#reserve(bytes)
    const buffer = this.#buffer
    const type = major << 5
    if (bytes === 1) buffer[at] = type | value
    else if (bytes === 2) {
      buffer[at] = type | 24
      buffer[at + 1] = value
    } else {
      const view = new DataView(buffer.buffer)
      buffer[at] = type | (bytes === 3 ? 25 : bytes === 5 ? 26 : 27)
      if (bytes === 3) view.setUint16(at + 1, value)
      else if (bytes === 5) view.setUint32(at + 1, value)
      else {
        view.setUint32(at + 1, Math.floor(value / 0x1_0000_0000))
        view.setUint32(at + 5, value % 0x1_0000_0000)
      }
    }
    return this
  }

  uint(value: number): this {
    return this.#head(0, value)
  }

  array(length: number): this {
    return this.#head(4, length)
  }

  bytes(value: Uint8Array): this {
    return this.#head(2, value.length).raw(value)
  }

  text(value: string): this {
    const bytes = encoder.encode(value)
    return this.#head(3, bytes.length).raw(bytes)
  }

  /** A CIDv1 of DAG-CBOR and sha2-256, given by its digest. */
  link(digest: Uint8Array): this {
    return this.raw(linkPrefix).raw(digest)
  }

  raw(value: Uint8Array): this {
    const at = this.#reserve(value.length)
    this.#buffer.set(value, at)
    return this
  }

  end(): Bytes {
    return this.#length === this.#buffer.length ? this.#buffer : this.#buffer.slice(0, this.#length)
  }
}

/** Reads what {@link Writer} writes and throws {@link Malformed} for everything else, other encodings of the same values included. */
export class Reader {
  readonly source: Uint8Array
  offset = 0
  readonly #view: DataView

  constructor(source: Uint8Array) {
    this.source = source
    this.#view = new DataView(source.buffer, source.byteOffset, source.byteLength)
  }

  #head(major: number): number {
    const { source } = this
    const first = source[this.offset]
    if (first === undefined || first >> 5 !== major) throw new Malformed(`unexpected type at ${this.offset}`)
    const info = first & 31
    this.offset++
    if (info < 24) return info
    const bytes = info === 24 ? 1 : info === 25 ? 2 : info === 26 ? 4 : info === 27 ? 8 : 0
    if (bytes === 0 || this.offset + bytes > source.length) throw new Malformed(`bad head at ${this.offset - 1}`)
    const at = this.offset
    this.offset += bytes
    let value: number
    if (bytes === 1) value = source[at] as number
    else if (bytes === 2) value = this.#view.getUint16(at)
    else if (bytes === 4) value = this.#view.getUint32(at)
    else value = this.#view.getUint32(at) * 0x1_0000_0000 + this.#view.getUint32(at + 4)
    if (headBytes(value) !== bytes + 1 || !Number.isSafeInteger(value)) throw new Malformed(`number at ${at}`)
    return value
  }

  uint(): number {
    return this.#head(0)
  }

  /** The length of an array. */
  array(max: number): number {
    const length = this.#head(4)
    if (length > max) throw new Malformed(`array of ${length}, at most ${max}`)
    return length
  }

  exactArray(length: number): void {
    if (this.#head(4) !== length) throw new Malformed(`not an array of ${length}`)
  }

  /** A view into the source, not a copy. */
  bytes(max: number): Bytes {
    return this.#take(this.#head(2), max)
  }

  exactBytes(length: number): Bytes {
    const bytes = this.bytes(length)
    if (bytes.length !== length) throw new Malformed(`${bytes.length} bytes, not ${length}`)
    return bytes
  }

  text(max: number): string {
    const bytes = this.#take(this.#head(3), max)
    try {
      return decoder.decode(bytes)
    } catch (cause) {
      throw new Malformed('not UTF-8', { cause })
    }
  }

  /** The digest of a CIDv1 of DAG-CBOR and sha2-256. */
  link(): Bytes {
    const { source, offset } = this
    for (let i = 0; i < linkPrefix.length; i++) {
      if (source[offset + i] !== linkPrefix[i]) throw new Malformed(`no link at ${offset}`)
    }
    this.offset += linkPrefix.length
    return this.#take(digestBytes, digestBytes)
  }

  end(): void {
    if (this.offset !== this.source.length) throw new Malformed('trailing bytes')
  }

  #take(length: number, max: number): Bytes {
    if (length > max) throw new Malformed(`${length} bytes, at most ${max}`)
    const end = this.offset + length
    if (end > this.source.length) throw new Malformed('cut off')
    const bytes = this.source.subarray(this.offset, end) as Bytes
    this.offset = end
    return bytes
  }
}

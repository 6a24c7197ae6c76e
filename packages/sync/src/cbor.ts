import type { Bytes } from './bytes.ts'
import { digestBytes, linkPrefix } from './cid.ts'

/** Thrown for bytes that are not in the one canonical encoding. It never leaves this package. */
export class Malformed extends Error {
  override readonly name: string = 'Malformed'
}

const encoder = new TextEncoder()
// A byte order mark at the start is part of the text.
const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

/** The number of bytes that the head of this value takes. */
export function headBytes(value: number): number {
  if (value < 24) return 1
  if (value < 0x100) return 2
  if (value < 0x1_0000) return 3
  return value < 0x1_0000_0000 ? 5 : 9
}

/**
 * The part of DAG-CBOR that entries, nodes and messages use: unsigned integers, byte and text strings, arrays, links.
 * It is written by hand for speed: it encodes and checks an entry in a fraction of the time of a general codec. A
 * reader that accepts only one form per value is strict without encoding the result again. A test compares it with
 * `@ipld/dag-cbor`.
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
      buffer[at] = type | (bytes === 3 ? 25 : bytes === 5 ? 26 : 27)
      // Byte by byte: creating a DataView for each number takes several times as long.
      let rest = value
      for (let i = at + bytes - 1; i > at; i--) {
        buffer[i] = rest & 0xff
        rest = Math.floor(rest / 256)
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

  /** Writes a CIDv1 of DAG-CBOR and sha2-256, given by its digest. */
  link(digest: Uint8Array): this {
    return this.raw(linkPrefix).raw(digest)
  }

  raw(value: Uint8Array): this {
    const at = this.#reserve(value.length)
    this.#buffer.set(value, at)
    return this
  }

  /** The bytes written so far, as a view. */
  get written(): Bytes {
    return this.#buffer.subarray(0, this.#length)
  }

  end(): Bytes {
    return this.#length === this.#buffer.length ? this.#buffer : this.#buffer.slice(0, this.#length)
  }
}

/**
 * Reads what {@link Writer} writes. It throws {@link Malformed} for everything else, including other encodings of the
 * same values.
 */
export class Reader {
  readonly source: Uint8Array
  offset = 0

  constructor(source: Uint8Array) {
    this.source = source
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
    let value = 0
    for (let i = at; i < this.offset; i++) value = value * 256 + (source[i] as number)
    if (headBytes(value) !== bytes + 1 || !Number.isSafeInteger(value)) throw new Malformed(`number at ${at}`)
    return value
  }

  uint(): number {
    return this.#head(0)
  }

  /** Reads the head of an array and returns its length. */
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

  /** Skips a byte string and returns its length. */
  skipBytes(max: number): number {
    const length = this.#head(2)
    this.#skip(length, max)
    return length
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

  /** Reads a CIDv1 of DAG-CBOR and sha2-256 and returns its digest. */
  link(): Bytes {
    this.skipLink()
    return this.source.subarray(this.offset - digestBytes, this.offset) as Bytes
  }

  /** Skips a link, which ends with its digest. */
  skipLink(): void {
    const { source, offset } = this
    for (let i = 0; i < linkPrefix.length; i++) {
      if (source[offset + i] !== linkPrefix[i]) throw new Malformed(`no link at ${offset}`)
    }
    this.offset += linkPrefix.length
    this.#skip(digestBytes, digestBytes)
  }

  end(): void {
    if (this.offset !== this.source.length) throw new Malformed('trailing bytes')
  }

  #take(length: number, max: number): Bytes {
    this.#skip(length, max)
    return this.source.subarray(this.offset - length, this.offset) as Bytes
  }

  #skip(length: number, max: number): void {
    if (length > max) throw new Malformed(`${length} bytes, at most ${max}`)
    const end = this.offset + length
    if (end > this.source.length) throw new Malformed('cut off')
    this.offset = end
  }
}

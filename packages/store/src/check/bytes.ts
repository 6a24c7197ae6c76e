import { DamageError } from '../errors.ts'

/** Reads the primitives of LevelDB's formats in sequence. */
export class ByteReader {
  readonly bytes: Uint8Array
  at: number

  constructor(bytes: Uint8Array, at = 0) {
    this.bytes = bytes
    this.at = at
  }

  get done(): boolean {
    return this.at >= this.bytes.length
  }

  varint(): number {
    let value = 0
    for (let scale = 1; scale <= 2 ** 49; scale *= 128) {
      const byte = this.bytes[this.at++]
      if (byte === undefined) break
      value += (byte & 0x7f) * scale
      if (byte < 0x80) return value
    }
    throw new DamageError('a number is cut off or too large')
  }

  take(length: number): Uint8Array {
    const taken = this.bytes.subarray(this.at, this.at + length)
    if (taken.length < length) throw new DamageError('a record is cut off')
    this.at += length
    return taken
  }

  slice(): Uint8Array {
    return this.take(this.varint())
  }
}

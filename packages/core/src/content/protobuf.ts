export interface Field {
  readonly number: number
  readonly wireType: number
  /** The value of a varint; 0 for other fields. */
  readonly value: number
  /** Start and end of the content: the bytes of a length-delimited field. */
  readonly start: number
  readonly end: number
}

const varint = 0
const fixed64 = 1
const delimited = 2
const fixed32 = 5

/**
 * Walks the fields of a protobuf message without decoding them. Counting the fields first is cheap, while a decoder decodes
 * however many there are. Throws `RangeError` if the bytes are not protobuf.
 */
export function* fieldsOf(bytes: Uint8Array): Generator<Field, void, undefined> {
  let at = 0
  const number = (): number => {
    let value = 0
    for (let factor = 1; ; factor *= 0x80) {
      const byte = bytes[at++]
      if (byte === undefined || factor > 2 ** 63) throw new RangeError('a number has no end')
      value += (byte & 0x7f) * factor
      if (byte < 0x80) return value
    }
  }
  while (at < bytes.byteLength) {
    const tag = number()
    const wireType = tag % 8
    let start = at
    let value = 0
    if (wireType === varint) value = number()
    else if (wireType === fixed64) at += 8
    else if (wireType === fixed32) at += 4
    else if (wireType === delimited) {
      const length = number()
      start = at
      at += length
    } else throw new RangeError(`wire type ${wireType}`)
    if (at > bytes.byteLength) throw new RangeError('a field has no end')
    yield { number: Math.floor(tag / 8), wireType, value, start, end: at }
  }
}

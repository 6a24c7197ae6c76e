/** One field of a protobuf message: its bytes, or its number for a numeric wire type. */
export interface Field {
  readonly number: number
  readonly value: Uint8Array | number
}

/**
 * The fields of a protobuf message, one at a time, without copying their bytes. Throws when the bytes are not a valid
 * message.
 */
export function* fieldsOf(bytes: Uint8Array): Generator<Field, void, undefined> {
  let at = 0
  const varint = (): number => {
    let value = 0
    for (let scale = 1; ; scale *= 0x80) {
      const byte = bytes[at++]
      if (byte === undefined || scale > 2 ** 63) throw new Error('a number of a message does not end')
      value += (byte & 0x7f) * scale
      if (byte < 0x80) return value
    }
  }
  const take = (length: number): Uint8Array => {
    const end = at + length
    if (end > bytes.byteLength) throw new Error('a field is longer than its message')
    const taken = bytes.subarray(at, end)
    at = end
    return taken
  }
  while (at < bytes.byteLength) {
    const tag = varint()
    const number = Math.floor(tag / 8)
    switch (tag % 8) {
      case 0:
        yield { number, value: varint() }
        break
      case 1:
        take(8)
        break
      case 2:
        yield { number, value: take(varint()) }
        break
      case 5:
        take(4)
        break
      default:
        throw new Error('a field has a type that no message has')
    }
  }
}

/** How many fields are read before others get a turn. */
const perTurn = 4_096
/** The most fields of a small message. */
const maxFields = 16

/** Like `fieldsOf`, with an `undefined` now and then, at which the caller gives others a turn. */
export function* pacedFieldsOf(bytes: Uint8Array): Generator<Field | undefined, void, undefined> {
  let count = 0
  for (const field of fieldsOf(bytes)) {
    if (++count % perTurn === 0) yield undefined
    yield field
  }
}

/** The fields of a small message by number. If a field is repeated, the last one counts. */
export function recordOf(bytes: Uint8Array): Map<number, Field['value']> {
  const record = new Map<number, Field['value']>()
  let count = 0
  for (const { number, value } of fieldsOf(bytes)) {
    if (++count > maxFields) throw new Error('a message has more fields than it can have')
    record.set(number, value)
  }
  return record
}

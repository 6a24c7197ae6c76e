/** An unsigned varint. */
export function varint(value: number): Uint8Array {
  const bytes: number[] = []
  for (let rest = value; ; rest = Math.floor(rest / 0x80)) {
    if (rest < 0x80) return Uint8Array.from([...bytes, rest])
    bytes.push((rest % 0x80) | 0x80)
  }
}

/** A field of a protobuf message that holds bytes. */
export function field(number: number, bytes: Uint8Array): Uint8Array {
  return Buffer.concat([Uint8Array.of((number << 3) | 2), varint(bytes.byteLength), bytes])
}

/** With its length in front, as messages stand on streams. */
export function framed(message: Uint8Array): Uint8Array {
  return new Uint8Array(Buffer.concat([varint(message.byteLength), message]))
}

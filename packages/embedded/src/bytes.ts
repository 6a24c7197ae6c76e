/**
 * The bytes as a plain Uint8Array: modules of Node give Buffers, which behave differently. A small part of a large buffer is
 * copied, so that it does not keep the rest alive.
 */
export function plain(bytes: Uint8Array): Uint8Array {
  if (bytes.byteLength * 2 < bytes.buffer.byteLength) return new Uint8Array(bytes)
  return bytes.constructor === Uint8Array ? bytes : new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength)
}

/** Bytes as a text of the same length, for use as a key of a map. */
export function textOf(bytes: Uint8Array): string {
  let text = ''
  for (const byte of bytes) text += String.fromCharCode(byte)
  return text
}

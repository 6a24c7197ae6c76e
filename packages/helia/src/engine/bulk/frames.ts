/** The name of the bulk exchange protocol. PROTOCOL.md specifies it. */
export const bulkProtocol = '/p2pl/exchange/1.0.0'

/** The kinds of frames. Unknown kinds are ignored. */
export const Kind = {
  want: 1,
  ask: 2,
  cancel: 3,
  block: 16,
  have: 17,
  missing: 18,
  laneRequest: 32,
  lane: 33
} as const

export const limits: Readonly<Record<'wants' | 'bodyBytes' | 'blockBytes' | 'multihashBytes', number>> = {
  /** The most unanswered wants and questions of one side of a channel. */
  wants: 1_024,
  /** The most bytes of a frame that is not a block. */
  bodyBytes: 128 * 1024,
  blockBytes: 2 * 1024 * 1024,
  multihashBytes: 80
}

/** The length of the rest of the frame, and its kind. */
export const headerBytes = 5
const idBytes = 4
/** The bytes before the content of a block. */
export const blockHeaderBytes: number = headerBytes + idBytes

/** A wanted block, and the number under which it is answered. */
export interface Entry {
  readonly id: number
  readonly multihash: Uint8Array
}

/** A violation of the protocol. The channel ends. */
export class BreachError extends Error {
  override readonly name = 'BreachError'
}

export function frameOf(kind: number, body: Uint8Array): Uint8Array {
  const frame = new Uint8Array(headerBytes + body.byteLength)
  writeHeader(frame, 0, kind, body.byteLength)
  frame.set(body, headerBytes)
  return frame
}

/**
 * A frame of wants or questions; empty if there are no entries. The entries fit into one frame, because their number is
 * limited.
 */
export function entriesFrame(kind: number, entries: readonly Entry[]): Uint8Array {
  let length = 0
  for (const { multihash } of entries) length += idBytes + 1 + multihash.byteLength
  const frame = new Uint8Array(headerBytes + length)
  const view = new DataView(frame.buffer)
  writeHeader(frame, 0, kind, length)
  let at = headerBytes
  for (const { id, multihash } of entries) {
    view.setUint32(at, id)
    frame[at + idBytes] = multihash.byteLength
    frame.set(multihash, at + idBytes + 1)
    at += idBytes + 1 + multihash.byteLength
  }
  return frame
}

export function* entriesOf(body: Uint8Array): Generator<Entry, void, undefined> {
  const view = viewOf(body)
  for (let at = 0; at < body.byteLength;) {
    const start = at + idBytes + 1
    const length = body[start - 1]
    if (length === undefined || length === 0 || length > limits.multihashBytes || start + length > body.byteLength)
      throw new BreachError('a frame of wants is cut short')
    // A copy, so that it does not keep the rest of the chunk in memory.
    yield { id: view.getUint32(at), multihash: new Uint8Array(body.subarray(start, start + length)) }
    at = start + length
  }
}

export function idsFrame(kind: number, ids: readonly number[]): Uint8Array {
  const frame = new Uint8Array(headerBytes + ids.length * idBytes)
  const view = new DataView(frame.buffer)
  writeHeader(frame, 0, kind, ids.length * idBytes)
  for (const [i, id] of ids.entries()) view.setUint32(headerBytes + i * idBytes, id)
  return frame
}

export function* idsOf(body: Uint8Array): Generator<number, void, undefined> {
  if (body.byteLength % idBytes !== 0) throw new BreachError('a frame of numbers is cut short')
  const view = viewOf(body)
  for (let at = 0; at < body.byteLength; at += idBytes) yield view.getUint32(at)
}

export function writeBlockHeader(into: Uint8Array, at: number, id: number, length: number): void {
  writeHeader(into, at, Kind.block, idBytes + length)
  writeNumber(into, at + headerBytes, id)
}

function writeHeader(into: Uint8Array, at: number, kind: number, length: number): void {
  writeNumber(into, at, length)
  into[at + idBytes] = kind
}

function writeNumber(into: Uint8Array, at: number, value: number): void {
  into[at] = value >>> 24
  into[at + 1] = value >>> 16
  into[at + 2] = value >>> 8
  into[at + 3] = value
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
}

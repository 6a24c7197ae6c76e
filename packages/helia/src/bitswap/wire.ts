/**
 * Messages of Bitswap 1.2.0 (protobuf, each after its length as a varint). Written by hand: the engine's codec copies
 * every block several times.
 */

/** Answers and wants of one message; see the Bitswap specification of IPFS. */
export interface Message {
  /** The entries replace what was wanted before. */
  full: boolean
  entries: Entry[]
  blocks: WireBlock[]
  presences: Presence[]
}

export interface Entry {
  readonly cid: Uint8Array
  readonly cancel: boolean
  /** Wants to know who has the block, not the block. */
  readonly have: boolean
  readonly sendDontHave: boolean
}

export interface WireBlock {
  /** Version, codec, hash code and digest length of the CID, as varints. */
  readonly prefix: Uint8Array
  readonly data: Uint8Array
}

export interface Presence {
  readonly cid: Uint8Array
  readonly have: boolean
}

/** Largest message that is sent or accepted, in bytes: what Go and JS nodes agree on. */
export const maxMessageBytes: number = 4 * 1024 * 1024
/** Wants beyond this many in one message are ignored; no node asks for as many. */
const maxEntries = 8_192

const varintField = 0
const bytesField = 2

/** The message with its length in front. */
export function encodeMessage(message: Message): Uint8Array {
  const entries = message.entries.map(entryLength)
  const listLength = sum(entries.map(framedLength)) + (message.full ? 2 : 0)
  const blocks = message.blocks.map((block) => framedLength(block.prefix.length) + framedLength(block.data.length))
  const presences = message.presences.map(({ cid }) => framedLength(cid.length) + 2)
  // Some nodes expect a want list in every message, be it an empty one.
  const length = framedLength(listLength) + sum(blocks.map(framedLength)) + sum(presences.map(framedLength))
  const writer = new Writer(varintLength(length) + length)
  writer.varint(length)
  writer.tag(1, bytesField)
  writer.varint(listLength)
  for (const [i, entry] of message.entries.entries()) {
    writer.tag(1, bytesField)
    writer.varint(entries[i] ?? 0)
    writeEntry(writer, entry)
  }
  if (message.full) writer.flag(2)
  for (const [i, { prefix, data }] of message.blocks.entries()) {
    writer.tag(3, bytesField)
    writer.varint(blocks[i] ?? 0)
    writer.bytes(1, prefix)
    writer.bytes(2, data)
  }
  for (const [i, { cid, have }] of message.presences.entries()) {
    writer.tag(4, bytesField)
    writer.varint(presences[i] ?? 0)
    writer.bytes(1, cid)
    writer.tag(2, varintField)
    writer.varint(have ? 0 : 1)
  }
  return writer.buffer
}

function entryLength({ cid, cancel, have, sendDontHave }: Entry): number {
  return framedLength(cid.length) + 2 + (cancel ? 2 : 0) + (have ? 2 : 0) + (sendDontHave ? 2 : 0)
}

function writeEntry(writer: Writer, { cid, cancel, have, sendDontHave }: Entry): void {
  writer.bytes(1, cid)
  writer.flag(2) // priority 1
  if (cancel) writer.flag(3)
  if (have) writer.flag(4)
  if (sendDontHave) writer.flag(5)
}

/** Throws for anything that is not a message. Fields of later versions are skipped. */
export function decodeMessage(bytes: Uint8Array): Message {
  const message: Message = { full: false, entries: [], blocks: [], presences: [] }
  for (const { field, value } of fieldsOf(bytes)) {
    if (!(value instanceof Uint8Array)) continue
    if (field === 1) decodeWantlist(value, message)
    else if (field === 3) message.blocks.push(decodeBlock(value))
    else if (field === 4) message.presences.push(decodePresence(value))
  }
  return message
}

function decodeWantlist(bytes: Uint8Array, message: Message): void {
  for (const { field, value } of fieldsOf(bytes)) {
    if (field === 1 && value instanceof Uint8Array) {
      if (message.entries.length < maxEntries) message.entries.push(decodeEntry(value))
    } else if (field === 2) message.full = value === 1
  }
}

function decodeEntry(bytes: Uint8Array): Entry {
  let cid: Uint8Array | undefined
  const flags = { cancel: false, have: false, sendDontHave: false }
  for (const { field, value } of fieldsOf(bytes)) {
    if (field === 1 && value instanceof Uint8Array) cid = value
    else if (field === 3) flags.cancel = value === 1
    else if (field === 4) flags.have = value === 1
    else if (field === 5) flags.sendDontHave = value === 1
  }
  if (cid === undefined) throw new Error('an entry without a CID')
  return { cid, ...flags }
}

function decodeBlock(bytes: Uint8Array): WireBlock {
  let prefix: Uint8Array | undefined
  let data: Uint8Array = new Uint8Array()
  for (const { field, value } of fieldsOf(bytes)) {
    if (field === 1 && value instanceof Uint8Array) prefix = value
    else if (field === 2 && value instanceof Uint8Array) data = value
  }
  if (prefix === undefined) throw new Error('a block without a prefix')
  return { prefix, data }
}

function decodePresence(bytes: Uint8Array): Presence {
  let cid: Uint8Array | undefined
  let have = true
  for (const { field, value } of fieldsOf(bytes)) {
    if (field === 1 && value instanceof Uint8Array) cid = value
    else if (field === 2) have = value === 0
  }
  if (cid === undefined) throw new Error('a presence without a CID')
  return { cid, have }
}

interface Field {
  readonly field: number
  /** A number above 32 bits is given as NaN: no field here has one. */
  readonly value: number | Uint8Array
}

function* fieldsOf(bytes: Uint8Array): Generator<Field, void, undefined> {
  let at = 0
  while (at < bytes.length) {
    const tag = readVarint(bytes, at)
    at = tag.end
    const kind = tag.value & 7
    const field = tag.value >>> 3
    if (kind === varintField) {
      const { value, end } = readVarint(bytes, at)
      at = end
      yield { field, value }
    } else if (kind === bytesField) {
      const { value: length, end } = readVarint(bytes, at)
      at = end + length
      if (!(at <= bytes.length)) throw new Error('a field is longer than its message')
      yield { field, value: bytes.subarray(end, at) }
    } else if (kind === 1 || kind === 5) at += kind === 1 ? 8 : 4
    else throw new Error(`unknown wire type ${kind}`)
  }
}

/** The number at `at`, and where it ends; NaN for one of more than 32 bits. Throws when it is cut off. */
export function readVarint(bytes: Uint8Array, at: number): { value: number; end: number } {
  let value = 0
  for (let i = 0; i < 10; i++) {
    const byte = bytes[at + i]
    if (byte === undefined) throw new Error('a number is cut off')
    value += (byte & 0x7f) * 2 ** (7 * i)
    if (byte < 0x80) return { value: value <= 0xffffffff ? value : Number.NaN, end: at + i + 1 }
  }
  throw new Error('a number has more than 64 bits')
}

export function varintLength(value: number): number {
  let length = 1
  for (let rest = value; rest > 0x7f; rest = Math.floor(rest / 128)) length++
  return length
}

/** Tag, length and bytes of a field with a number below 16. */
function framedLength(length: number): number {
  return 1 + varintLength(length) + length
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0)
}

class Writer {
  readonly buffer: Uint8Array
  #at = 0

  constructor(length: number) {
    this.buffer = new Uint8Array(length)
  }

  varint(value: number): void {
    let rest = value
    for (; rest > 0x7f; rest = Math.floor(rest / 128)) this.buffer[this.#at++] = (rest % 128) | 0x80
    this.buffer[this.#at++] = rest
  }

  tag(field: number, kind: number): void {
    this.buffer[this.#at++] = (field << 3) | kind
  }

  bytes(field: number, value: Uint8Array): void {
    this.tag(field, bytesField)
    this.varint(value.length)
    this.buffer.set(value, this.#at)
    this.#at += value.length
  }

  flag(field: number): void {
    this.tag(field, varintField)
    this.buffer[this.#at++] = 1
  }
}

/** Cuts a stream of bytes into messages. */
export class Frames {
  #parts: Uint8Array[] = []
  #length = 0

  /** The messages that are complete with these bytes. Throws when one says that it is too long. */
  push(chunk: Uint8Array): Uint8Array[] {
    const complete: Uint8Array[] = []
    this.#parts.push(chunk)
    this.#length += chunk.length
    for (;;) {
      const header = this.#header()
      if (header === undefined || this.#length < header.end + header.value) return complete
      const bytes = this.#take()
      const end = header.end + header.value
      if (bytes.length > end) {
        this.#parts = [bytes.subarray(end)]
        this.#length = bytes.length - end
      }
      complete.push(bytes.subarray(header.end, end))
    }
  }

  #header(): { value: number; end: number } | undefined {
    const first = this.#parts[0]
    if (first === undefined) return undefined
    // Lengths have at most four bytes: only then may the first part be too short for one.
    const bytes = first.length >= 4 || this.#parts.length === 1 ? first : this.#join()
    if (bytes.length < 4 && !bytes.some((byte) => byte < 0x80)) return undefined
    const header = readVarint(bytes, 0)
    if (!(header.value <= maxMessageBytes + 1024)) throw new Error(`a message of ${header.value} bytes is too long`)
    return header
  }

  #join(): Uint8Array {
    const bytes = this.#take()
    this.#parts = [bytes]
    this.#length = bytes.length
    return bytes
  }

  #take(): Uint8Array {
    const [first] = this.#parts
    let bytes = this.#parts.length === 1 ? first : undefined
    if (bytes === undefined) {
      bytes = new Uint8Array(this.#length)
      let at = 0
      for (const part of this.#parts) {
        bytes.set(part, at)
        at += part.length
      }
    }
    this.#parts = []
    this.#length = 0
    return bytes
  }
}

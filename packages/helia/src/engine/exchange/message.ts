import { pacedFieldsOf, recordOf } from '../streams/wire.ts'

/** A block that a peer wants, or no longer wants. */
export interface WantEntry {
  readonly cid: Uint8Array
  readonly priority: number
  readonly cancel?: boolean
  readonly wantType?: 'WantBlock' | 'WantHave'
  readonly sendDontHave?: boolean
}

/** A part of a Bitswap 1.2.0 message, in the form that the library uses. */
export interface MessagePart {
  readonly wantlist?: { readonly entries: WantEntry[]; readonly full: boolean }
  readonly blocks: { readonly prefix: Uint8Array; readonly data: Uint8Array }[]
  readonly blockPresences: { readonly cid: Uint8Array; readonly type: 'HaveBlock' | 'DoNotHaveBlock' }[]
  readonly pendingBytes: number
}

/** How many elements of a message are processed together. */
const perPart = 32

/**
 * Splits a message into parts that are small enough to be processed at once. A message of 4 MiB has room for 100,000
 * wants or tiny blocks, and for two million meaningless fields. An `undefined` is a good moment to give others a turn.
 * Throws when the bytes are not a message.
 */
export function* partsOf(bytes: Uint8Array): Generator<MessagePart | undefined, void, undefined> {
  for (const field of pacedFieldsOf(bytes)) {
    if (field === undefined) yield undefined
    else if (typeof field.value === 'number') continue
    else if (field.number === 1) yield* wantParts(field.value)
    else if (field.number === 3) yield { ...nothing(), blocks: [block(field.value)] }
    else if (field.number === 4) yield { ...nothing(), blockPresences: [presence(field.value)] }
  }
}

/** An empty message. */
export function nothing(): MessagePart {
  return { blocks: [], blockPresences: [], pendingBytes: 0 }
}

/** `full` cancels all earlier wants, so it must be processed first. It comes last in the message. */
function* wantParts(bytes: Uint8Array): Generator<MessagePart | undefined, void, undefined> {
  let full = false
  for (const field of pacedFieldsOf(bytes)) {
    if (field === undefined) yield undefined
    else if (field.number === 2) full = field.value === 1
  }
  let entries: WantEntry[] = []
  for (const field of pacedFieldsOf(bytes)) {
    if (field?.number !== 1 || typeof field.value === 'number') continue
    entries.push(want(field.value))
    if (entries.length < perPart) continue
    yield { ...nothing(), wantlist: { entries, full } }
    entries = []
    full = false
  }
  if (entries.length > 0 || full) yield { ...nothing(), wantlist: { entries, full } }
}

function want(bytes: Uint8Array): WantEntry {
  const record = recordOf(bytes)
  return {
    cid: bytesIn(record.get(1)),
    priority: Number(record.get(2) ?? 0),
    cancel: record.get(3) === 1,
    wantType: record.get(4) === 1 ? 'WantHave' : 'WantBlock',
    sendDontHave: record.get(5) === 1
  }
}

function block(bytes: Uint8Array): MessagePart['blocks'][number] {
  const record = recordOf(bytes)
  return { prefix: bytesIn(record.get(1)), data: bytesIn(record.get(2)) }
}

function presence(bytes: Uint8Array): MessagePart['blockPresences'][number] {
  const record = recordOf(bytes)
  return { cid: bytesIn(record.get(1)), type: record.get(2) === 1 ? 'DoNotHaveBlock' : 'HaveBlock' }
}

function bytesIn(value: Uint8Array | number | undefined): Uint8Array {
  return value instanceof Uint8Array ? value : new Uint8Array()
}

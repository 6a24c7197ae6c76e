import { decode, encode } from '@ipld/dag-cbor'
import type { ErrorCode } from '@p2pl/core'
import { isBytes, isCount, isText, isTuple } from './check.ts'
import { type Content, encodeContent, parseContent } from './content.ts'
import { maxChannel } from './frame.ts'

/** Why a request has no answer. */
export type Refusal = Extract<ErrorCode, 'UNSUPPORTED' | 'PROTOCOL' | 'OVERLOADED' | 'INVALID_ARGUMENT' | 'NOT_FOUND'>
const refusals: readonly Refusal[] = ['UNSUPPORTED', 'PROTOCOL', 'OVERLOADED', 'INVALID_ARGUMENT', 'NOT_FOUND']
const maxReason = 200

/** The content of a direct frame. */
export type Note =
  | { readonly kind: 'say'; readonly channel: string; readonly content: Content }
  | { readonly kind: 'ask'; readonly id: number; readonly channel: string; readonly content: Content }
  | { readonly kind: 'answer'; readonly id: number; readonly content: Content }
  | { readonly kind: 'refuse'; readonly id: number; readonly code: Refusal; readonly reason: string }
  | { readonly kind: 'secret'; readonly secret: Uint8Array }

const kinds = ['say', 'ask', 'answer', 'refuse', 'secret'] as const

/** DAG-CBOR `[kind, …fields]`. */
export function encodeNote(note: Note): Uint8Array {
  return encode([kinds.indexOf(note.kind), ...fields(note)])
}

function fields(note: Note): unknown[] {
  if (note.kind === 'say') return [note.channel, encodeContent(note.content)]
  if (note.kind === 'ask') return [note.id, note.channel, encodeContent(note.content)]
  if (note.kind === 'answer') return [note.id, encodeContent(note.content)]
  if (note.kind === 'refuse') return [note.id, note.code, note.reason.slice(0, maxReason)]
  return [note.secret]
}

/** Returns `undefined` for anything that is not a note. Never throws. */
export function decodeNote(bytes: Uint8Array): Note | undefined {
  try {
    const value: unknown = decode(bytes)
    if (!Array.isArray(value)) return undefined
    const [kind, ...rest] = value as unknown[]
    return isCount(kind) ? parse(kinds[kind], rest) : undefined
  } catch {
    return undefined
  }
}

function parse(kind: (typeof kinds)[number] | undefined, rest: unknown[]): Note | undefined {
  if (kind === 'secret') return isTuple(rest, 1) && isBytes(rest[0], 32) ? { kind, secret: rest[0] } : undefined
  if (kind === 'say' && isTuple(rest, 2)) {
    const [channel, value] = rest
    const content = parseContent(value)
    return isText(channel, maxChannel) && content !== undefined ? { kind, channel, content } : undefined
  }
  const [id] = rest
  if (!isCount(id)) return undefined
  if (kind === 'ask' && isTuple(rest, 3)) {
    const [, channel, value] = rest
    const content = parseContent(value)
    return isText(channel, maxChannel) && content !== undefined ? { kind, id, channel, content } : undefined
  }
  if (kind === 'answer' && isTuple(rest, 2)) {
    const content = parseContent(rest[1])
    return content === undefined ? undefined : { kind, id, content }
  }
  if (kind === 'refuse' && isTuple(rest, 3)) {
    const [, code, reason] = rest
    return refusals.includes(code as Refusal) && isText(reason, maxReason)
      ? { kind, id, code: code as Refusal, reason }
      : undefined
  }
  return undefined
}

import { decode, encode } from '@ipld/dag-cbor'
import { isBytes, isCount, isText, isTuple } from './check.ts'
import { type Content, encodeContent, parseContent } from './content.ts'

export const stayLength = 16
export const maxName = 64
export const maxChannel = 64
/** Maximum number of other stays that one beat names. */
export const maxEchoes = 32
const maxAccount = 256
const version = 1

/** Identifies a frame of a stay. A stay is one visit of a peer to a room. */
export interface FrameHead {
  /** Random, and new for each visit. */
  readonly stay: Uint8Array
  /** Counts the frames of the stay from 0. */
  readonly n: number
  /** Milliseconds since the stay began, on the sender's monotonic clock. */
  readonly age: number
}

/** A sign of life. */
export interface Beat {
  readonly kind: 'beat'
  /** An X25519 key that was made for this stay. Messages to this peer are encrypted to it. */
  readonly key: Uint8Array
  /** The longest time until the next beat, in milliseconds. */
  readonly period: number
  readonly name: string | undefined
  readonly account: string | undefined
  /** Stays of others that this peer has heard of. A peer that finds its own stay knows that this beat is not a recording. */
  readonly echoes: readonly Uint8Array[]
}

/** A broadcast, signed by its author so that others can pass it on. */
export interface Say {
  readonly kind: 'say'
  readonly channel: string
  readonly content: Content
  readonly signature: Uint8Array
}

/** A note for one stay alone, encrypted to it. */
export interface Direct {
  readonly kind: 'direct'
  readonly to: Uint8Array
  readonly sealed: Uint8Array
}

export type FrameBody = Beat | Say | Direct | { readonly kind: 'bye' }
export type Frame = FrameHead & FrameBody

const kinds = ['beat', 'bye', 'say', 'direct'] as const

/** DAG-CBOR `[version, stay, n, age, kind, …fields]`. */
export function encodeFrame(frame: Frame): Uint8Array {
  const { stay, n, age, kind } = frame
  return encode([version, stay, n, age, kinds.indexOf(kind), ...fields(frame)])
}

function fields(body: FrameBody): unknown[] {
  if (body.kind === 'beat') return [body.key, body.period, body.name ?? null, body.account ?? null, body.echoes]
  if (body.kind === 'say') return [body.channel, encodeContent(body.content), body.signature]
  return body.kind === 'direct' ? [body.to, body.sealed] : []
}

/** Returns `undefined` for anything that is not a frame. Never throws. */
export function decodeFrame(bytes: Uint8Array): Frame | undefined {
  try {
    const value: unknown = decode(bytes)
    if (!Array.isArray(value)) return undefined
    const [v, stay, n, age, kind, ...rest] = value as unknown[]
    if (v !== version || !isBytes(stay, stayLength) || !isCount(n) || !isCount(age) || !isCount(kind)) return undefined
    const body = parseBody(kinds[kind], rest)
    return body === undefined ? undefined : { stay, n, age, ...body }
  } catch {
    return undefined
  }
}

function parseBody(kind: (typeof kinds)[number] | undefined, rest: unknown[]): FrameBody | undefined {
  if (kind === 'beat' && isTuple(rest, 5)) return parseBeat(rest)
  if (kind === 'bye' && isTuple(rest, 0)) return { kind }
  if (kind === 'say' && isTuple(rest, 3)) {
    const [channel, value, signature] = rest
    const content = parseContent(value)
    return isText(channel, maxChannel) && content !== undefined && isBytes(signature, 64)
      ? { kind, channel, content, signature }
      : undefined
  }
  if (kind === 'direct' && isTuple(rest, 2)) {
    const [to, sealed] = rest
    return isBytes(to, stayLength) && isBytes(sealed) ? { kind, to, sealed } : undefined
  }
  return undefined
}

function parseBeat([key, period, name, account, echoes]: unknown[]): Beat | undefined {
  if (!isBytes(key, 32) || !isCount(period) || !(name === null || isText(name, maxName))) return undefined
  if (!(account === null || isText(account, maxAccount))) return undefined
  if (!Array.isArray(echoes) || echoes.length > maxEchoes) return undefined
  if (!(echoes as unknown[]).every((echo) => isBytes(echo, stayLength))) return undefined
  return {
    kind: 'beat',
    key,
    period,
    name: name ?? undefined,
    account: account ?? undefined,
    echoes: echoes as Uint8Array[]
  }
}

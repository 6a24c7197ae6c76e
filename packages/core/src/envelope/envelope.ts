import { decode, encode } from '@ipld/dag-cbor'
import { CID } from 'multiformats/cid'
import type { Headers } from '../api/topic.ts'
import { type Cryptography, type Identity, publicKeyLength, signatureLength } from '../identity.ts'
import type { PeerInfo } from '../port/common.ts'
import { isBytesOf, isCount, isTuple } from './checks.ts'
import { noHeaders, parseHeaders } from './headers.ts'
import { encodeHints, parseHints } from './hints.ts'

/** A payload that travels as a CID because it is larger than an envelope (claim check pattern). */
export interface Claim {
  readonly cid: CID
  /** Bytes of the content. */
  readonly size: number
}

export type Payload = Uint8Array | Claim

export interface EnvelopeMessage {
  readonly content: Payload
  readonly headers: Headers
}

/**
 * One sender's envelope on a topic: consecutive messages of one of its sessions under one signature. An envelope without
 * messages only tells how many there have been, so that receivers notice a lost tail.
 */
export interface Envelope {
  readonly publicKey: Uint8Array<ArrayBuffer>
  /** A random number below 2^48, a new one each time that the sender begins to publish on the topic. */
  readonly session: number
  /** Milliseconds since the session began, on the sender's monotonic clock. */
  readonly age: number
  /** When it was sent: milliseconds since the Unix epoch on the sender's wall clock, a hint. */
  readonly sent: number
  /** Sequence number of the first message. */
  readonly first: number
  readonly messages: readonly EnvelopeMessage[]
  /** Where to fetch the content of claims. */
  readonly providers: readonly PeerInfo[]
}

/** Maximum bytes that an envelope needs in addition to its payloads, without providers. */
export const envelopeOverhead = 224
/** Maximum bytes that one message adds to its payload and headers. */
export const messageOverhead = 8
/** Maximum bytes of one claim. */
export const claimSize = 128

const version = 2
const domain = new TextEncoder().encode('p2pl/envelope/v2\0')

/**
 * The bytes that are signed: a domain, the topic (so that nothing can be replayed on another one) and the exact bytes of
 * the body.
 */
function signedBytes(topic: Uint8Array, body: Uint8Array): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(domain.length + 4 + topic.length + body.length)
  bytes.set(domain)
  new DataView(bytes.buffer).setUint32(domain.length, topic.length)
  bytes.set(topic, domain.length + 4)
  bytes.set(body, domain.length + 4 + topic.length)
  return bytes
}

/**
 * Signs and encodes: DAG-CBOR `[2, body, signature]`, body = `[key, session, age, sent, first, messages, hints]`. A message is
 * its bytes, `[cid, size]`, or `[one of these, headers]`; a hint is `[network, id, addresses]`.
 */
export async function sealEnvelope(topic: Uint8Array, envelope: Envelope, identity: Identity): Promise<Uint8Array> {
  const body = encode([
    envelope.publicKey,
    envelope.session,
    envelope.age,
    envelope.sent,
    envelope.first,
    envelope.messages.map(encodeMessage),
    encodeHints(envelope.providers)
  ])
  return encode([version, body, await identity.sign(signedBytes(topic, body))])
}

function encodeMessage({ content, headers }: EnvelopeMessage): unknown {
  const item = content instanceof Uint8Array ? content : [content.cid, content.size]
  return headers === noHeaders ? item : [item, headers]
}

export type OpenedEnvelope = Envelope | 'garbage' | 'forged'

/** Decodes and checks an envelope from the network. Never throws, whatever the bytes contain. */
export async function openEnvelope(
  topic: Uint8Array,
  bytes: Uint8Array,
  maxMessages: number,
  cryptography: Cryptography
): Promise<OpenedEnvelope> {
  let opened: ReturnType<typeof parse>
  try {
    opened = parse(bytes, maxMessages)
  } catch {
    return 'garbage'
  }
  if (opened === undefined) return 'garbage'
  const { envelope, body, signature } = opened
  try {
    const authentic = await cryptography.verify(envelope.publicKey, signedBytes(topic, body), signature)
    return authentic ? envelope : 'forged'
  } catch {
    // A key that no implementation accepts.
    return 'forged'
  }
}

function parse(
  bytes: Uint8Array,
  maxMessages: number
): { envelope: Envelope; body: Uint8Array; signature: Uint8Array<ArrayBuffer> } | undefined {
  const outer: unknown = decode(bytes)
  if (!isTuple(outer, 3) || outer[0] !== version) return undefined
  const [, body, signature] = outer
  if (!isBytesOf(body) || !isBytesOf(signature, signatureLength)) return undefined
  const inner: unknown = decode(body)
  if (!isTuple(inner, 7)) return undefined
  const [publicKey, session, age, sent, first, list, hints] = inner
  if (!isBytesOf(publicKey, publicKeyLength)) return undefined
  if (!isCount(session) || !isCount(age) || !isCount(sent) || !isCount(first)) return undefined
  if (!Array.isArray(list) || list.length > maxMessages || !isCount(first + list.length)) return undefined
  const messages: EnvelopeMessage[] = []
  for (const item of list as unknown[]) {
    const message = parseMessage(item)
    if (message === undefined) return undefined
    messages.push(message)
  }
  const providers = parseHints(hints)
  if (providers === undefined) return undefined
  return { envelope: { publicKey, session, age, sent, first, messages, providers }, body, signature }
}

function parseMessage(item: unknown): EnvelopeMessage | undefined {
  const content = parsePayload(item)
  if (content !== undefined) return { content, headers: noHeaders }
  if (!isTuple(item, 2)) return undefined
  const inner = parsePayload(item[0])
  const headers = parseHeaders(item[1])
  return inner === undefined || headers === undefined ? undefined : { content: inner, headers }
}

function parsePayload(item: unknown): Payload | undefined {
  if (item instanceof Uint8Array) return item
  if (!isTuple(item, 2)) return undefined
  const cid = CID.asCID(item[0])
  return cid !== null && cid.byteLength <= claimSize && isCount(item[1]) ? { cid, size: item[1] } : undefined
}

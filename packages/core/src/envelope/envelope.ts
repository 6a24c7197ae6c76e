import { decode, encode } from '@ipld/dag-cbor'
import { CID } from 'multiformats/cid'
import { type Cryptography, type Identity, publicKeyLength, signatureLength } from '../identity.ts'
import type { PeerInfo } from '../port/common.ts'

/** A payload that travels as a CID because it is larger than an envelope (claim check pattern). */
export interface Claim {
  readonly cid: CID
  /** Bytes of the content. */
  readonly size: number
}

export type Payload = Uint8Array | Claim

/**
 * What a sender says on a topic: consecutive messages of one of its sessions under one signature.
 * Without messages it only says how many there were so far, so that receivers see a lost tail.
 */
export interface Envelope {
  readonly publicKey: Uint8Array<ArrayBuffer>
  /** Grows with every session of a sender: milliseconds since the epoch × 1,024 + a random number below 1,024. */
  readonly session: number
  /** Sequence number of the first message. */
  readonly first: number
  readonly messages: readonly Payload[]
  /** Where the content of claims can be fetched. */
  readonly provider?: PeerInfo | undefined
}

/** Bytes that an envelope needs besides its payloads, at most, without a provider. */
export const envelopeOverhead = 192
/** Bytes that one message adds to its payload, at most. */
export const messageOverhead = 5
/** Bytes of one claim, at most. */
export const claimSize = 128
/** Addresses of a provider hint that are sent; more are left out. */
const maxHintAddresses = 8
const maxHintText = 512
/** Bytes that a provider hint can need. */
export const hintSize: number = (maxHintAddresses + 1) * (maxHintText + 5)

const version = 1
const domain = new TextEncoder().encode('p2pl/envelope/v1\0')

/** What is signed: a domain, the topic (so that nothing can be replayed on another one) and the body's exact bytes. */
function signedBytes(topic: Uint8Array, body: Uint8Array): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(domain.length + 4 + topic.length + body.length)
  bytes.set(domain)
  new DataView(bytes.buffer).setUint32(domain.length, topic.length)
  bytes.set(topic, domain.length + 4)
  bytes.set(body, domain.length + 4 + topic.length)
  return bytes
}

/** Signs and encodes: DAG-CBOR `[1, body, signature]`, body = `[key, session, first, messages, provider | null]`. */
export async function sealEnvelope(topic: Uint8Array, envelope: Envelope, identity: Identity): Promise<Uint8Array> {
  const body = encode([
    envelope.publicKey,
    envelope.session,
    envelope.first,
    envelope.messages.map((payload) => (payload instanceof Uint8Array ? payload : [payload.cid, payload.size])),
    envelope.provider === undefined ? null : encodeHint(envelope.provider)
  ])
  return encode([version, body, await identity.sign(signedBytes(topic, body))])
}

function encodeHint(provider: PeerInfo): [string, string[]] {
  const addresses = provider.addresses.filter((address) => address.length <= maxHintText)
  return [provider.id.slice(0, maxHintText), addresses.slice(0, maxHintAddresses)]
}

export type OpenedEnvelope = Envelope | 'garbage' | 'forged'

/** Decodes and checks what the network brought. Never throws for what the bytes contain. */
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
  const authentic = await cryptography.verify(envelope.publicKey, signedBytes(topic, body), signature)
  return authentic ? envelope : 'forged'
}

function parse(
  bytes: Uint8Array,
  maxMessages: number
): { envelope: Envelope; body: Uint8Array; signature: Uint8Array<ArrayBuffer> } | undefined {
  const outer: unknown = decode(bytes)
  if (!isTuple(outer, 3) || outer[0] !== version) return undefined
  const [, body, signature] = outer
  if (!isBytes(body) || !isBytes(signature, signatureLength)) return undefined
  const inner: unknown = decode(body)
  if (!isTuple(inner, 5)) return undefined
  const [publicKey, session, first, list, hint] = inner
  if (!isBytes(publicKey, publicKeyLength) || !isCount(session) || !isCount(first)) return undefined
  if (!Array.isArray(list) || list.length > maxMessages || !isCount(first + list.length)) return undefined
  const messages: Payload[] = []
  for (const item of list as unknown[]) {
    const payload = parsePayload(item)
    if (payload === undefined) return undefined
    messages.push(payload)
  }
  const provider = parseHint(hint)
  if (provider === null) return undefined
  return { envelope: { publicKey, session, first, messages, provider }, body, signature }
}

function parsePayload(item: unknown): Payload | undefined {
  if (item instanceof Uint8Array) return item
  if (!isTuple(item, 2)) return undefined
  const cid = CID.asCID(item[0])
  return cid !== null && cid.byteLength <= claimSize && isCount(item[1]) ? { cid, size: item[1] } : undefined
}

/** `null` for a malformed one. */
function parseHint(hint: unknown): PeerInfo | undefined | null {
  if (hint === null) return undefined
  if (!isTuple(hint, 2) || !isText(hint[0]) || !Array.isArray(hint[1])) return null
  const addresses: unknown[] = hint[1]
  return addresses.length <= maxHintAddresses && addresses.every(isText) ? { id: hint[0], addresses } : null
}

function isTuple(value: unknown, length: number): value is unknown[] {
  return Array.isArray(value) && value.length === length
}

function isBytes(value: unknown, length?: number): value is Uint8Array<ArrayBuffer> {
  return value instanceof Uint8Array && (length === undefined || value.byteLength === length)
}

function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0
}

function isText(value: unknown): value is string {
  return typeof value === 'string' && value.length <= maxHintText
}

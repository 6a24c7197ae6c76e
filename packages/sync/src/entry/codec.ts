import { concatBytes, compareBytes, mapKey } from '../bytes.ts'
import type { Bytes } from '../bytes.ts'
import { headBytes, Malformed, Reader, Writer } from '../cbor.ts'
import { digestBytes, hash, linkPrefix } from '../cid.ts'
import { formatVersion, parentsCeiling, payloadCeiling } from '../limits.ts'
import { keyOf } from './key.ts'
import type { Key } from './key.ts'

export const authorBytes = 32
export const signatureBytes = 64
/** 1 for the array of six; the signature is the last item, a byte string with a head of two bytes. */
const arrayHead = 1
const signatureHead = Uint8Array.of(0x58, signatureBytes)
const signatureItem = signatureHead.length + signatureBytes

export interface EntryFields {
  /** Digests of the parents' CIDs. */
  readonly parents: readonly Bytes[]
  readonly clock: number
  readonly author: Bytes
  readonly payload: Bytes
}

/** An entry in its only encoding, with what follows from it. */
export interface EntryRecord extends EntryFields {
  readonly bytes: Bytes
  readonly signature: Bytes
  readonly digest: Bytes
  /** The digest as a key of maps. */
  readonly id: string
  /** The parents' digests as keys of maps. */
  readonly parentIds: readonly string[]
  readonly key: Key
}

export interface EntryBounds {
  readonly maxParents: number
  readonly maxPayloadBytes: number
}

export const widestBounds: EntryBounds = { maxParents: parentsCeiling, maxPayloadBytes: payloadCeiling }

/** Largest encoding of an entry within the bounds. */
export function maxEntryBytes(bounds: EntryBounds): number {
  const parents = headBytes(bounds.maxParents) + bounds.maxParents * (linkPrefix.length + digestBytes)
  const payload = headBytes(bounds.maxPayloadBytes) + bounds.maxPayloadBytes
  return arrayHead + 1 + parents + 9 + 2 + authorBytes + payload + signatureItem
}

/** What stands before the signed part, so that a signature counts for one format and one topic only. */
export function signingDomain(topic: string): Bytes {
  const name = new TextEncoder().encode(topic)
  return new Writer().text('p2pl sync entry 1').bytes(name).end()
}

function writeSigned(fields: EntryFields): Writer {
  const { parents, clock, author, payload } = fields
  const writer = new Writer(parents.length * 41 + payload.length + 160)
  writer.array(6).uint(formatVersion).array(parents.length)
  for (const parent of parents) writer.link(parent)
  return writer.uint(clock).bytes(author).bytes(payload)
}

/** The bytes that the author signs. */
export function signingInput(domain: Bytes, fields: EntryFields): Bytes {
  return concatBytes(domain, writeSigned(fields).end().subarray(arrayHead))
}

/** Encodes an entry and has it signed, writing the signed part once. */
export async function sealEntry(
  domain: Bytes,
  fields: EntryFields,
  sign: (bytes: Bytes) => Promise<Bytes>
): Promise<Bytes> {
  const unsigned = writeSigned(fields).end()
  const signature = await sign(concatBytes(domain, unsigned.subarray(arrayHead)))
  return concatBytes(unsigned, signatureHead, signature)
}

/** The bytes that the author of an encoded entry has signed. */
export function signedPart(domain: Bytes, entry: Bytes): Bytes {
  return concatBytes(domain, entry.subarray(arrayHead, entry.length - signatureItem))
}

export function encodeEntry(fields: EntryFields, signature: Bytes): Bytes {
  return writeSigned(fields).bytes(signature).end()
}

/** Decodes and checks the form; throws `Malformed`. The result shares memory with `bytes`. Neither signature nor parents are checked. */
export async function decodeEntry(bytes: Bytes, bounds: EntryBounds): Promise<EntryRecord> {
  return await decoded(bytes, bounds)
}

/** The same for many, without a wait where the runtime hashes at once. */
export async function decodeEntries(all: readonly Bytes[], bounds: EntryBounds): Promise<EntryRecord[]> {
  const records: EntryRecord[] = []
  for (const bytes of all) {
    const record = decoded(bytes, bounds)
    records.push(record instanceof Promise ? await record : record)
  }
  return records
}

function decoded(bytes: Bytes, bounds: EntryBounds): EntryRecord | Promise<EntryRecord> {
  const fields = parseEntry(bytes, bounds)
  const digest = hash(bytes)
  if (digest instanceof Uint8Array) return recordOf(fields, bytes, digest)
  return digest.then((ready) => recordOf(fields, bytes, ready))
}

/** The same without a wait where the hash is already known. */
export function recordOf(fields: ParsedEntry, bytes: Bytes, digest: Bytes): EntryRecord {
  const { parents, clock, author, payload, signature } = fields
  const id = mapKey(digest)
  const parentIds = parents.map(mapKey)
  return { parents, clock, author, payload, signature, bytes, digest, id, parentIds, key: keyOf(clock, digest) }
}

export interface ParsedEntry extends EntryFields {
  readonly signature: Bytes
}

export function parseEntry(bytes: Bytes, bounds: EntryBounds): ParsedEntry {
  const reader = new Reader(bytes)
  reader.exactArray(6)
  if (reader.uint() !== formatVersion) throw new Malformed('entry of another version')
  const parents: Bytes[] = []
  const count = reader.array(bounds.maxParents)
  for (let i = 0; i < count; i++) {
    const parent = reader.link()
    const previous = parents[i - 1]
    if (previous !== undefined && compareBytes(previous, parent) >= 0) throw new Malformed('parents out of order')
    parents.push(parent)
  }
  const clock = reader.uint()
  if (clock < 1) throw new Malformed('clocks begin at 1')
  const author = reader.exactBytes(authorBytes)
  const payload = reader.bytes(bounds.maxPayloadBytes)
  const signature = reader.exactBytes(signatureBytes)
  reader.end()
  return { parents, clock, author, payload, signature }
}

import { concatBytes } from '../bytes.ts'
import type { Bytes } from '../bytes.ts'
import { headBytes, Malformed, Reader, Writer } from '../cbor.ts'
import { digestBytes, hash, linkPrefix } from '../cid.ts'
import { formatVersion, parentsCeiling, payloadCeiling } from '../limits.ts'
import { EntryRecord, linkBytes, signatureBytes, signatureHead } from './record.ts'
import type { EntryForm } from './record.ts'

export type { EntryRecord } from './record.ts'

const authorBytes = 32
/** The head of the array of seven takes 1 byte. */
const arrayHead = 1
const signatureItem = signatureHead.length + signatureBytes

export interface EntryFields {
  /** Digests of the parents' CIDs. */
  readonly parents: readonly Bytes[]
  /** Which of the parents is the same author's previous entry, counted from 1; 0 for none. */
  readonly previous: number
  readonly clock: number
  readonly author: Bytes
  readonly payload: Bytes
}

export interface EntryBounds {
  readonly maxParents: number
  readonly maxPayloadBytes: number
}

export const widestBounds: EntryBounds = { maxParents: parentsCeiling, maxPayloadBytes: payloadCeiling }

/** The largest size of an encoded entry within the bounds. */
export function maxEntryBytes(bounds: EntryBounds): number {
  const parents = headBytes(bounds.maxParents) + bounds.maxParents * (linkPrefix.length + digestBytes)
  const payload = headBytes(bounds.maxPayloadBytes) + bounds.maxPayloadBytes
  return arrayHead + 1 + parents + headBytes(bounds.maxParents) + 9 + 2 + authorBytes + payload + signatureItem
}

/** The prefix of the signed bytes. It makes a signature valid for one format and one topic only. */
export function signingDomain(topic: string): Bytes {
  const name = new TextEncoder().encode(topic)
  return new Writer().text('p2pl sync entry 2').bytes(name).end()
}

function writeSigned(fields: EntryFields): Writer {
  const { parents, previous, clock, author, payload } = fields
  const writer = new Writer(entryBytes(fields))
  writer.array(7).uint(formatVersion).array(parents.length)
  for (const parent of parents) writer.link(parent)
  return writer.uint(previous).uint(clock).bytes(author).bytes(payload)
}

/** The bytes that the author signs, prefix included. */
export function signingInput(domain: Bytes, fields: EntryFields): Bytes {
  return concatBytes(domain, writeSigned(fields).written.subarray(arrayHead))
}

/** The size of the whole entry in bytes. */
function entryBytes({ parents, previous, clock, payload }: EntryFields): number {
  const numbers = headBytes(parents.length) + headBytes(previous) + headBytes(clock)
  const payloadItem = headBytes(payload.length) + payload.length
  return arrayHead + 1 + numbers + parents.length * linkBytes + 2 + authorBytes + payloadItem + signatureItem
}

/** Encodes an entry once, including its signature. */
export async function sealEntry(
  domain: Bytes,
  fields: EntryFields,
  sign: (bytes: Bytes) => Promise<Bytes>
): Promise<EntryRecord> {
  const writer = writeSigned(fields)
  const signature = await sign(concatBytes(domain, writer.written.subarray(arrayHead)))
  const bytes = writer.bytes(signature).end()
  const { parents, previous, clock, author, payload } = fields
  const parentsAt = arrayHead + 1 + headBytes(parents.length)
  const form = { parents: parents.length, parentsAt, previous, clock, author, payloadBytes: payload.length }
  return new EntryRecord(bytes, form, await hash(bytes))
}

/** The bytes that the author of an encoded entry has signed. */
export function signedPart(domain: Bytes, entry: Bytes): Bytes {
  return concatBytes(domain, entry.subarray(arrayHead, entry.length - signatureItem))
}

export function encodeEntry(fields: EntryFields, signature: Bytes): Bytes {
  return writeSigned(fields).bytes(signature).end()
}

/**
 * Decodes an entry and checks its form; throws `Malformed`. The result shares memory with `bytes`. It checks neither
 * the signature nor the parents.
 */
export async function decodeEntry(bytes: Bytes, bounds: EntryBounds): Promise<EntryRecord> {
  return await decoded(bytes, bounds)
}

/** Decodes many entries, without an `await` where the runtime hashes synchronously. */
export async function decodeEntries(all: readonly Bytes[], bounds: EntryBounds): Promise<EntryRecord[]> {
  const records: EntryRecord[] = []
  for (const bytes of all) {
    const record = decoded(bytes, bounds)
    records.push(record instanceof Promise ? await record : record)
  }
  return records
}

function decoded(bytes: Bytes, bounds: EntryBounds): EntryRecord | Promise<EntryRecord> {
  const form = parseEntry(bytes, bounds)
  const digest = hash(bytes)
  if (digest instanceof Uint8Array) return new EntryRecord(bytes, form, digest)
  return digest.then((ready) => new EntryRecord(bytes, form, ready))
}

/** Checks the form of an entry; throws `Malformed`. */
export function parseEntry(bytes: Bytes, bounds: EntryBounds): EntryForm {
  const reader = new Reader(bytes)
  reader.exactArray(7)
  if (reader.uint() !== formatVersion) throw new Malformed('entry of another version')
  const parents = reader.array(bounds.maxParents)
  const parentsAt = reader.offset
  for (let i = 0; i < parents; i++) {
    reader.skipLink()
    if (i > 0 && !isAscending(bytes, reader.offset - linkBytes - digestBytes, reader.offset - digestBytes)) {
      throw new Malformed('parents out of order')
    }
  }
  const previous = reader.uint()
  if (previous > parents) throw new Malformed('previous entry that is no parent')
  const clock = reader.uint()
  if (clock < 1) throw new Malformed('clocks begin at 1')
  const author = reader.exactBytes(authorBytes)
  const payloadBytes = reader.skipBytes(bounds.maxPayloadBytes)
  if (reader.skipBytes(signatureBytes) !== signatureBytes) throw new Malformed('signature of another length')
  reader.end()
  return { parents, parentsAt, previous, clock, author, payloadBytes }
}

/** Whether the digest at the first offset is below the digest at the second one. */
function isAscending(bytes: Bytes, one: number, other: number): boolean {
  for (let i = 0; i < digestBytes; i++) {
    const difference = (bytes[one + i] as number) - (bytes[other + i] as number)
    if (difference !== 0) return difference < 0
  }
  return false
}

import type { Headers } from '@p2pl/core'
import { CID } from 'multiformats/cid'
import { Malformed, Reader, Writer } from '../cbor.ts'
import type { Bytes } from '../bytes.ts'

/** A payload that its sender stored in its data backend. */
export interface Claim {
  readonly cid: CID
  readonly size: number
}

/** What the payload of an entry holds: `[1, headers, payload]` or `[1, headers, CID, size]`. */
export interface Frame {
  readonly headers: Headers
  readonly content: Bytes | Claim
}

const version = 1
const maxHeaders = 16
const maxName = 64
const maxValue = 1024
/** The most bytes of UTF-8 for each UTF-16 unit of a text. */
const unitBytes = 3
const maxCidBytes = 64
/** The codecs of CIDs that `peer.data.add` makes: raw and dag-pb, with sha2-256. */
const fileCodecs: readonly number[] = [0x55, 0x70]
const sha256 = 0x12

/** Size of the payload in bytes; for a large one, as its sender claims. */
export function sizeOf({ content }: Frame): number {
  return content instanceof Uint8Array ? content.length : content.size
}

/** Whether a frame can carry these headers. `checkHeaders` of core accepts the same. */
export function areHeaders(headers: unknown): headers is Headers {
  if (typeof headers !== 'object' || headers === null || Array.isArray(headers)) return false
  const all: [string, unknown][] = Object.entries(headers)
  return all.length <= maxHeaders && all.every(([name, value]) => isHeader(name, value))
}

function isHeader(name: string, value: unknown): boolean {
  if (name === '' || name.length > maxName || typeof value !== 'string' || value.length > maxValue) return false
  return name.isWellFormed() && value.isWellFormed()
}

export function encodeFrame({ headers, content }: Frame): Bytes {
  const all = Object.entries(headers)
  const large = !(content instanceof Uint8Array)
  const writer = new Writer((large ? 0 : content.length) + 128)
  writer
    .array(large ? 4 : 3)
    .uint(version)
    .array(2 * all.length)
  for (const [name, value] of all) writer.text(name).text(value)
  return (large ? writer.bytes(content.cid.bytes).uint(content.size) : writer.bytes(content)).end()
}

/** Throws `Malformed`. The payload shares memory with `bytes`. */
export function decodeFrame(bytes: Bytes): Frame {
  const reader = new Reader(bytes)
  const length = reader.array(4)
  if (length < 3 || reader.uint() !== version) throw new Malformed('frame of another version')
  const headers = readHeaders(reader)
  const content = length === 3 ? reader.bytes(bytes.length) : readClaim(reader)
  reader.end()
  return { headers, content }
}

function readHeaders(reader: Reader): Headers {
  // An object without a prototype, so that a stranger's header name has no special meaning.
  const headers = Object.create(null) as Record<string, string>
  const texts = reader.array(2 * maxHeaders)
  if (texts % 2 !== 0) throw new Malformed('a header without a value')
  for (let i = 0; i < texts; i += 2) {
    const name = reader.text(unitBytes * maxName)
    const value = reader.text(unitBytes * maxValue)
    if (!isHeader(name, value) || name in headers) throw new Malformed('bad header')
    headers[name] = value
  }
  return headers
}

function readClaim(reader: Reader): Claim {
  const bytes = reader.bytes(maxCidBytes)
  let cid: CID
  try {
    cid = CID.decode(bytes.slice())
  } catch (cause) {
    throw new Malformed('not a CID', { cause })
  }
  const { version: cidVersion, code, multihash } = cid
  if (cidVersion !== 1 || !fileCodecs.includes(code) || multihash.code !== sha256) throw new Malformed('CID of no file')
  return { cid, size: reader.uint() }
}

import * as dagCbor from '@ipld/dag-cbor'
import { equalBytes } from '@p2pl/core/backend'
import { CID } from 'multiformats/cid'
import {
  amountToCbor,
  checkAccount,
  checkAmount,
  checkCount,
  checkKeys,
  checkOptionalText,
  checkText,
  invalid
} from './fields.ts'
import {
  maxParents,
  maxMediaTypeBytes,
  maxMemoBytes,
  maxNameBytes,
  maxPayloadBytes,
  maxReferenceBytes
} from './limits.ts'

interface Numbered {
  /**
   * Numbers the entries of its author's account from 0. Of two entries with the same number only the first in canonical
   * order counts, which prevents double spending.
   */
  readonly sequence: number
  /**
   * The author's own mark, for example an invoice number. A node refuses to write the same reference twice, so that a
   * client may retry.
   */
  readonly reference?: string | undefined
}

/** Moves an amount from the author's account to another. */
interface Transfer extends Numbered {
  readonly type: 'transfer'
  readonly to: string
  /** In the smallest units; 1 to 2^63 − 1. */
  readonly amount: bigint
  readonly memo?: string | undefined
}

/** States that a document exists: a file or JSON document stored as content. Its CID is the proof. */
export interface DocumentRecord extends Numbered {
  readonly type: 'record'
  readonly cid: CID
  readonly name: string
  readonly mediaType: string
  /** The size of the content in bytes. */
  readonly size: number
}

export type Payload = Transfer | DocumentRecord

const transferKeys = ['type', 'sequence', 'reference', 'to', 'amount', 'memo']
const recordKeys = ['type', 'sequence', 'reference', 'cid', 'name', 'mediaType', 'size']
const mediaTypePattern = /^[a-z0-9][a-z0-9!#$&^_.+-]*\/[a-z0-9][a-z0-9!#$&^_.+-]*(; ?[a-z0-9-]+=[a-zA-Z0-9._-]+)*$/
const sha256 = 0x12
/** raw, dag-pb, dag-cbor, dag-json */
const contentCodecs: ReadonlySet<number> = new Set([0x55, 0x70, 0x71, 0x01_29])

/** The only encoding of a payload. Throws an `INVALID_ARGUMENT` that names the field. */
export function encodePayload(payload: Payload): Uint8Array<ArrayBuffer> {
  const checked = checkPayload(payload)
  const bytes = dagCbor.encode(
    withoutUndefined(
      checked.type === 'transfer' ? { ...checked, amount: amountToCbor(checked.amount) } : { ...checked }
    )
  )
  return new Uint8Array(bytes)
}

/**
 * Decodes bytes from others. Throws `INVALID_ARGUMENT` for anything but the exact bytes that {@link encodePayload}
 * makes.
 */
export function decodePayload(bytes: Uint8Array): Payload {
  if (bytes.byteLength > maxPayloadBytes) throw invalid(`a payload has at most ${maxPayloadBytes} bytes`)
  let value: unknown
  try {
    value = dagCbor.decode(bytes)
  } catch {
    throw invalid('a payload must be DAG-CBOR')
  }
  const payload = checkPayload(value)
  // Each value has one form: otherwise two programs could disagree about what is valid.
  if (!equalBytes(encodePayload(payload), bytes)) throw invalid('a payload must be in its canonical form')
  return payload
}

/**
 * Whether an entry may be in the ledger at all. It depends only on the form of the entry, so that all peers always
 * decide alike.
 */
export function isWellFormed(entry: {
  readonly author: string
  readonly parents: readonly CID[]
  readonly payload: Uint8Array
}): boolean {
  if (entry.parents.length > maxParents) return false
  try {
    const payload = decodePayload(entry.payload)
    return payload.type !== 'transfer' || payload.to !== entry.author
  } catch {
    return false
  }
}

/** The payload of an entry in the ledger. It was checked when the entry came in. */
export function readPayload(bytes: Uint8Array): Payload {
  const payload = dagCbor.decode<DocumentRecord | (Omit<Transfer, 'amount'> & { readonly amount: number | bigint })>(
    bytes
  )
  return payload.type === 'transfer' ? { ...payload, amount: BigInt(payload.amount) } : payload
}

function checkPayload(value: unknown): Payload {
  const type = typeof value === 'object' && value !== null && 'type' in value ? value.type : undefined
  if (type === 'transfer') return checkTransfer(checkKeys('transfer', value, transferKeys))
  if (type === 'record') return checkRecord(checkKeys('record', value, recordKeys))
  throw invalid('type must be "transfer" or "record"')
}

function checkTransfer(map: Record<string, unknown>): Transfer {
  return {
    type: 'transfer',
    sequence: checkCount('sequence', map['sequence']),
    reference: checkOptionalText('reference', map['reference'], maxReferenceBytes),
    to: checkAccount('to', map['to']),
    amount: checkAmount('amount', map['amount'], 1n),
    memo: checkOptionalText('memo', map['memo'], maxMemoBytes)
  }
}

function checkRecord(map: Record<string, unknown>): DocumentRecord {
  return {
    type: 'record',
    sequence: checkCount('sequence', map['sequence']),
    reference: checkOptionalText('reference', map['reference'], maxReferenceBytes),
    cid: checkContentCid(map['cid']),
    name: checkText('name', map['name'], maxNameBytes),
    mediaType: checkMediaType(map['mediaType']),
    size: checkCount('size', map['size'])
  }
}

function checkContentCid(value: unknown): CID {
  const cid = CID.asCID(value)
  if (cid === null) throw invalid('cid must be a CID')
  if (cid.version !== 1 || cid.multihash.code !== sha256 || cid.multihash.size !== 32 || !contentCodecs.has(cid.code))
    throw invalid('cid must be a CIDv1 with sha2-256 of raw, dag-pb, dag-cbor or dag-json')
  return cid
}

function checkMediaType(value: unknown): string {
  const text = checkText('mediaType', value, maxMediaTypeBytes)
  if (!mediaTypePattern.test(text)) throw invalid('mediaType must look like "text/plain"')
  return text
}

function withoutUndefined(map: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(map).filter(([, value]) => value !== undefined))
}

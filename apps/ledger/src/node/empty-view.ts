import { createHash } from 'node:crypto'
import * as dagCbor from '@ipld/dag-cbor'
import { CID } from 'multiformats/cid'
import * as digest from 'multiformats/hashes/digest'

/** The root of a view without entries, `[version, level, entries]`: `@p2pl/sync` names it and nobody serves it. */
export const emptyViewBytes: Uint8Array = dagCbor.encode([1, 0, []])
export const emptyView: CID = CID.createV1(
  dagCbor.code,
  digest.create(0x12, createHash('sha256').update(emptyViewBytes).digest())
)

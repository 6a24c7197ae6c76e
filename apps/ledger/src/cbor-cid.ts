import { createHash } from 'node:crypto'
import * as dagCbor from '@ipld/dag-cbor'
import { CID } from 'multiformats/cid'
import * as digest from 'multiformats/hashes/digest'

const sha256 = 0x12

/** The CID of a DAG-CBOR block. */
export function cborCid(bytes: Uint8Array): CID {
  return CID.createV1(dagCbor.code, digest.create(sha256, createHash('sha256').update(bytes).digest()))
}

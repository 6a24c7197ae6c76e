import * as dagCbor from '@ipld/dag-cbor'
import { sha256 } from '@noble/hashes/sha2.js'
import { CID } from 'multiformats/cid'
import * as digest from 'multiformats/hashes/digest'

const sha256Code = 0x12

/** The CID of a DAG-CBOR block. It is computed synchronously, in browsers too. */
export function cborCid(bytes: Uint8Array): CID {
  return CID.createV1(dagCbor.code, digest.create(sha256Code, sha256(bytes)))
}

import * as dagCbor from '@ipld/dag-cbor'
import * as dagPb from '@ipld/dag-pb'
import { CID } from 'multiformats/cid'

/** The CIDs that a block links to. */
export function linksOf(cid: CID, bytes: Uint8Array): CID[] {
  if (cid.code === dagPb.code) return dagPb.decode(bytes).Links.map(({ Hash }) => Hash)
  if (cid.code === dagCbor.code) return [...cborLinks(dagCbor.decode(bytes))]
  return []
}

function* cborLinks(value: unknown): Generator<CID> {
  if (typeof value !== 'object' || value === null) return
  const cid = CID.asCID(value)
  if (cid !== null) yield cid
  else for (const item of Object.values(value)) yield* cborLinks(item)
}

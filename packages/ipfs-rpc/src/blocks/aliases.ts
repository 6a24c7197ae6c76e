import { CID } from 'multiformats/cid'

// raw, dag-pb, dag-cbor, dag-json
const codecs = [0x55, 0x70, 0x71, 0x0129] as const

/** Other CIDs under which the same block may be pinned: version 0 and the known codecs. */
export function aliases(cid: CID): CID[] {
  const { multihash } = cid
  const all: CID[] = codecs.map((codec) => CID.createV1(codec, multihash))
  if (multihash.code === 0x12 && multihash.size === 32) all.push(CID.create(0, 0x70, multihash))
  return all.filter((other) => !other.equals(cid))
}

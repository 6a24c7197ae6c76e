import { decode as decodeDagCbor } from '@ipld/dag-cbor'
import { decode as decodeDagPb } from '@ipld/dag-pb'
import { CID } from 'multiformats/cid'

const dagPb = 0x70
const dagCbor = 0x71
/** Codecs without links: raw, cbor, json, libp2p-key. */
const leaves: ReadonlySet<number> = new Set([0x55, 0x51, 0x0200, 0x72])

/** Whether blocks of the codec have no links, so that a walk need not read them. */
export function isLeaf(codec: number): boolean {
  return leaves.has(codec)
}

/**
 * The CIDs that a block links to, in their order. `undefined` where the codec is unknown here (raw, cbor, json, libp2p-key,
 * dag-pb and dag-cbor are known). Throws the decoder's error when the bytes are not a block of the codec.
 */
export function linksOf(cid: CID, bytes: Uint8Array): CID[] | undefined {
  if (isLeaf(cid.code)) return []
  if (cid.code === dagPb) return decodeDagPb(bytes).Links.map((link) => link.Hash)
  if (cid.code === dagCbor) return cidsIn(decodeDagCbor(bytes))
  return undefined
}

/** Without recursion: a block may be nested as deep as its size allows. */
function cidsIn(root: unknown): CID[] {
  const found: CID[] = []
  const open: unknown[] = [root]
  while (open.length > 0) {
    const value = open.pop()
    if (typeof value !== 'object' || value === null || ArrayBuffer.isView(value)) continue
    const cid = CID.asCID(value)
    if (cid === null) for (const item of Object.values(value).reverse()) open.push(item)
    else found.push(cid)
  }
  return found
}

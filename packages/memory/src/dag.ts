import * as dagCbor from '@ipld/dag-cbor'
import * as dagPb from '@ipld/dag-pb'
import type { Block } from '@p2pl/core/backend'
import { createUnsafe } from 'multiformats/block'
import type { BlockDecoder } from 'multiformats/codecs/interface'
import type { CID } from 'multiformats/cid'
import * as json from 'multiformats/codecs/json'
import * as raw from 'multiformats/codecs/raw'
import { failure } from './errors.ts'
import { blockKey } from './key.ts'

const decoders = new Map<number, BlockDecoder<number, unknown>>(
  [raw, dagPb, dagCbor, json].map((codec) => [codec.code, codec])
)
const identityHash = 0x00

/** Nodes of a DAG: of one multihash the raw view has no links and the dag-pb view has, so they are two. */
export function nodeKey(cid: CID): string {
  return `${cid.code}/${blockKey(cid)}`
}

/** The content of an identity CID, which is stored nowhere. */
export function inlineBytes(cid: CID): Uint8Array | undefined {
  return cid.multihash.code === identityHash ? cid.multihash.digest : undefined
}

/** Blocks below `root`, each once, depth first in the order of the links, so a parent comes before its children. */
export async function* walkDag(
  operation: string,
  root: CID,
  load: (cid: CID) => Promise<Uint8Array>
): AsyncGenerator<Block> {
  const seen = new Set<string>()
  const waiting = [root]
  for (let cid = waiting.pop(); cid !== undefined; cid = waiting.pop()) {
    const node = nodeKey(cid)
    if (seen.has(node)) continue
    seen.add(node)
    const inline = inlineBytes(cid)
    const block = { cid, bytes: inline ?? (await load(cid)) }
    if (inline === undefined) yield block
    // One by one: a block may have more links than a call takes as arguments.
    for (const link of linksOf(operation, block).reverse()) waiting.push(link)
  }
}

/** `UNSUPPORTED` for an unknown codec, `INVALID_CONTENT` when the bytes are not of theirs. */
export function linksOf(operation: string, { cid, bytes }: Block): CID[] {
  const codec = decoders.get(cid.code)
  if (codec === undefined)
    throw failure(
      'UNSUPPORTED',
      operation,
      `${operation} cannot find the links of ${cid.toString()}: its codec 0x${cid.code.toString(16)} is none of raw, dag-pb, dag-cbor, json`
    )
  if (cid.code === raw.code) return []
  try {
    return Array.from(createUnsafe({ cid, bytes, codec }).links(), ([, link]) => link)
  } catch (cause) {
    throw failure('INVALID_CONTENT', operation, `the bytes of ${cid.toString()} are not of its codec`, cause)
  }
}

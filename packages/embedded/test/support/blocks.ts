import * as dagCbor from '@ipld/dag-cbor'
import type { Block, HookOptions } from '@p2pl/core/backend'
import { CID } from 'multiformats/cid'
import * as raw from 'multiformats/codecs/raw'
import { sha256 } from 'multiformats/hashes/sha2'

/** For calls that nobody aborts. */
export const calm: HookOptions = { signal: new AbortController().signal }

export async function leaf(bytes: Uint8Array | string): Promise<Block> {
  const own = typeof bytes === 'string' ? new TextEncoder().encode(bytes) : bytes
  return { cid: CID.createV1(raw.code, await sha256.digest(own)), bytes: own }
}

export async function node(value: unknown): Promise<Block> {
  const bytes = dagCbor.encode(value)
  return { cid: CID.createV1(dagCbor.code, await sha256.digest(bytes)), bytes }
}

export async function collect<T>(items: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = []
  for await (const item of items) all.push(item)
  return all
}

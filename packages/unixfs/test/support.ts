import { encode, prepare } from '@ipld/dag-pb'
import { isP2plError, type ErrorCode, type Peer } from '@p2pl/core'
import { UnixFS } from 'ipfs-unixfs'
import type { CID } from 'multiformats/cid'

export const text = (value: string): Uint8Array => new TextEncoder().encode(value)

export async function all<T>(items: AsyncIterable<T>): Promise<T[]> {
  const { items: result, error } = await collect(items)
  if (error !== undefined) throw error
  return result
}

/** What was yielded before the end, or before the error. */
export async function collect<T>(items: AsyncIterable<T>): Promise<{ items: T[]; error: unknown }> {
  const result: T[] = []
  try {
    for await (const item of items) result.push(item)
    return { items: result, error: undefined }
  } catch (error) {
    return { items: result, error }
  }
}

export async function failure(work: Promise<unknown>): Promise<{ code: ErrorCode; message: string }> {
  const error: unknown = await work.then(
    () => undefined,
    (reason: unknown) => reason
  )
  if (!isP2plError(error)) throw new Error('expected a P2plError', { cause: error })
  return error
}

export interface TestLink {
  readonly Name: string
  readonly Hash: CID
  readonly Tsize?: number
}

/** Stores a directory of any links, as nobody would make it. */
export async function putDirectory(peer: Peer, links: readonly TestLink[]): Promise<CID> {
  const Data = new UnixFS({ type: 'directory' }).marshal()
  const node = encode(prepare({ Data, Links: links.map((link) => ({ Tsize: 1, ...link })) }))
  return await peer.blocks.put(node, { codec: 0x70 })
}

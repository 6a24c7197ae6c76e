import { encode, prepare } from '@ipld/dag-pb'
import { UnixFS } from 'ipfs-unixfs'
import { CID } from 'multiformats/cid'
import { sha256 } from 'multiformats/hashes/sha2'
import { encodeInnerNode } from '../../src/content/encode.ts'
import { writeFile } from '../../src/content/writer.ts'
import { isP2plError } from '../../src/errors.ts'
import { type StoreBackend } from '../data/store-backend.ts'

export interface Link {
  cid: CID
  size: number
}

export async function put(backend: StoreBackend, codec: number, bytes: Uint8Array): Promise<CID> {
  const cid = CID.createV1(codec, await sha256.digest(bytes))
  backend.map.set(cid.multihash.bytes.join(), bytes)
  return cid
}

export async function putNode(backend: StoreBackend, links: Link[], data?: Uint8Array): Promise<CID> {
  // ipfs-unixfs writes sizes from 2^31 to 2^32 wrongly, so it encodes only what core never writes.
  if (data === undefined) {
    return await put(
      backend,
      0x70,
      encodeInnerNode(links.map(({ cid, size }) => ({ cid, contentBytes: size, blockBytes: 1 })))
    )
  }
  const unixfs = new UnixFS({ type: 'file', blockSizes: links.map((link) => BigInt(link.size)), data })
  return await put(
    backend,
    0x70,
    encode(prepare({ Data: unixfs.marshal(), Links: links.map(({ cid }) => ({ Name: '', Hash: cid, Tsize: 1 })) }))
  )
}

export async function putFile(
  backend: StoreBackend,
  bytes: Uint8Array,
  chunkBytes: number,
  maxLinks: number
): Promise<CID> {
  const { cid } = await writeFile(bytes, {
    layout: { chunkBytes, maxLinks },
    operation: 'test',
    store: async (blocks) => {
      await backend.blocks.putMany(blocks)
    },
    next: (work) => work
  })
  return cid
}

export async function codeOf(work: Promise<unknown>): Promise<string> {
  return await work.then(
    () => 'no error',
    (error: unknown) => (isP2plError(error) ? error.code : String(error))
  )
}

export const text = (value: string): Uint8Array => new TextEncoder().encode(value)

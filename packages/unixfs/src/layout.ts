import { encode } from '@ipld/dag-pb'
import { UnixFS } from 'ipfs-unixfs'
import type { WritableStorage } from 'ipfs-unixfs-importer'
import type { FileLayout } from 'ipfs-unixfs-importer/layout'
import { CID } from 'multiformats/cid'
import { sha256 } from 'multiformats/hashes/sha2'

const dagPb = 0x70
const maxLinks = 1024

interface Subtree {
  readonly cid: CID
  readonly contentBytes: number
  readonly blockBytes: number
}

/**
 * The balanced layout of the importer, with nodes that are encoded here: ipfs-unixfs 13 (through protons-runtime 7.1)
 * writes sizes from 2^31 to 2^32 - 1 as garbage, so that files of 2 to 4 GiB could not be read by anyone.
 * Mode and mtime of a file are the root's.
 */
export function balancedLayout(
  store: WritableStorage,
  metadata: { mode?: number; mtime?: { secs: bigint; nsecs?: number } }
): FileLayout {
  const put = async (links: readonly Subtree[], tail: Uint8Array): Promise<Subtree> => {
    const bytes = encode({
      Data: encodeFile(links, tail),
      Links: links.map((link) => ({ Hash: link.cid, Name: '', Tsize: link.blockBytes }))
    })
    const cid = CID.createV1(dagPb, await sha256.digest(bytes))
    await store.put(cid, bytes)
    return {
      cid,
      contentBytes: links.reduce((sum, link) => sum + link.contentBytes, 0),
      blockBytes: links.reduce((sum, link) => sum + link.blockBytes, bytes.byteLength)
    }
  }

  return async (source, reduce) => {
    const levels: Subtree[][] = []
    // A node is written when another link has to go beside it: the last one of all is the root, with the metadata.
    const push = async (level: number, subtree: Subtree): Promise<void> => {
      const links = (levels[level] ??= [])
      if (links.length === maxLinks) {
        levels[level] = [subtree]
        await push(level + 1, await put(links, none))
      } else links.push(subtree)
    }
    let count = 0
    for await (const leaf of source) {
      // A file of one leaf: what becomes of it depends on its metadata, and has no sizes to encode.
      if ('single' in leaf && leaf.single) return await reduce([leaf])
      count++
      const bytes = Number(leaf.size)
      await push(0, { cid: leaf.cid, contentBytes: bytes, blockBytes: bytes })
    }
    if (count === 0) throw new Error('the importer gave no leaf')
    const tail = new UnixFS({ type: 'file', ...metadata }).marshal().subarray(emptyFileBytes)
    for (let level = 0; ; level++) {
      const links = levels[level] ?? []
      const isTop = level === levels.length - 1
      const node = await put(links, isTop ? tail : none)
      if (isTop) return { cid: node.cid, size: BigInt(node.blockBytes) }
      await push(level + 1, node)
    }
  }
}

const none = new Uint8Array(0)
/** Type and size 0: what comes before mode and mtime when a file has neither data nor links. */
const emptyFileBytes = 4
const tags = { type: 0x08, fileSize: 0x18, blockSizes: 0x20 } as const
const typeFile = 2

function encodeFile(links: readonly Subtree[], tail: Uint8Array): Uint8Array {
  const bytes: number[] = [tags.type, typeFile, tags.fileSize]
  pushVarint(
    bytes,
    links.reduce((sum, link) => sum + link.contentBytes, 0)
  )
  for (const link of links) {
    bytes.push(tags.blockSizes)
    pushVarint(bytes, link.contentBytes)
  }
  bytes.push(...tail)
  return Uint8Array.from(bytes)
}

/** Any safe integer: bit operations would end at 32 bits. */
function pushVarint(bytes: number[], value: number): void {
  let rest = value
  while (rest >= 0x80) {
    bytes.push((rest % 0x80) | 0x80)
    rest = Math.floor(rest / 0x80)
  }
  bytes.push(rest)
}

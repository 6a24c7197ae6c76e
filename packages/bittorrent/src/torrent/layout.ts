import { createHash } from 'node:crypto'
import * as dagPb from '@ipld/dag-pb'
import type { Block } from '@p2pl/core/backend'
import { UnixFS } from 'ipfs-unixfs'
import { CID } from 'multiformats/cid'
import * as raw from 'multiformats/codecs/raw'
import * as Digest from 'multiformats/hashes/digest'
import { plain } from '../bytes.ts'
import { pieceLength } from './info.ts'

/** The profile `unixfs-v1-2025`: raw leaves of 1 MiB, at most so many links in a node. */
const maxLinks = 1_024
const maxDepth = 8
const sha256 = 0x12

/** A part of a file: a leaf, or what is below a node. */
interface Part {
  readonly cid: CID
  /** Bytes of content. */
  readonly size: number
  /** Bytes of all blocks of it. */
  readonly total: number
}

/** Lays a file out as every other backend does, leaf by leaf, and hands out the blocks on the way. */
export class FileWriter {
  readonly #put: (block: Block) => Promise<void>
  readonly #levels: Part[][] = [[]]

  constructor(put: (block: Block) => Promise<void>) {
    this.#put = put
  }

  /** All but the last have 1 MiB. */
  async add(bytes: Uint8Array): Promise<void> {
    const cid = await this.#store(raw.code, bytes)
    await this.#append(0, { cid, size: bytes.byteLength, total: bytes.byteLength })
  }

  async finish(): Promise<CID> {
    if (this.#levels[0]?.length === 0 && this.#levels.length === 1) await this.add(new Uint8Array())
    for (let level = 0; ; level++) {
      const parts = this.#levels[level] ?? []
      const [only] = parts
      const top = level === this.#levels.length - 1
      if (top && parts.length === 1 && only !== undefined) return only.cid
      if (parts.length > 0) await this.#reduce(level)
    }
  }

  async #append(level: number, part: Part): Promise<void> {
    const parts = this.#levels[level] ?? []
    this.#levels[level] = parts
    // Not before the next one comes: a full node alone is the root, and has no parent.
    if (parts.length === maxLinks) await this.#reduce(level)
    this.#levels[level]?.push(part)
  }

  async #reduce(level: number): Promise<void> {
    const parts = this.#levels[level] ?? []
    this.#levels[level] = []
    const file = new UnixFS({ type: 'file' })
    for (const { size } of parts) file.addBlockSize(BigInt(size))
    const bytes = dagPb.encode({
      Data: file.marshal(),
      Links: parts.map(({ cid, total }) => ({ Name: '', Hash: cid, Tsize: total }))
    })
    const cid = await this.#store(dagPb.code, bytes)
    const sum = (of: (part: Part) => number): number => parts.reduce((all, part) => all + of(part), 0)
    await this.#append(level + 1, {
      cid,
      size: sum(({ size }) => size),
      total: bytes.byteLength + sum(({ total }) => total)
    })
  }

  async #store(code: number, bytes: Uint8Array): Promise<CID> {
    const digest = Digest.create(sha256, plain(createHash('sha256').update(bytes).digest()))
    const cid = CID.createV1(code, digest)
    await this.#put({ cid, bytes })
    return cid
  }
}

/**
 * The leaves of a file in their order, from the blocks that `load` has. `undefined` when a node is not there, or when it is no
 * file of raw leaves of 1 MiB: then its pieces would not be its leaves.
 */
export async function leavesOf(
  root: CID,
  load: (cid: CID) => Promise<Uint8Array | undefined>
): Promise<{ leaves: CID[]; length: number } | undefined> {
  if (root.code === raw.code) {
    const bytes = await load(root)
    return bytes === undefined ? undefined : { leaves: [root], length: bytes.byteLength }
  }
  const leaves: CID[] = []
  let length = 0
  const visit = async (cid: CID, depth: number): Promise<boolean> => {
    const bytes = depth > maxDepth || cid.code !== dagPb.code ? undefined : await load(cid)
    if (bytes === undefined) return false
    const node = dagPb.decode(bytes)
    const file = UnixFS.unmarshal(node.Data ?? new Uint8Array())
    if (file.type !== 'file' || file.data !== undefined || file.blockSizes.length !== node.Links.length) return false
    for (const [i, { Hash }] of node.Links.entries()) {
      if (Hash.code !== raw.code) {
        if (!(await visit(Hash, depth + 1))) return false
        continue
      }
      // A short one before the last shifts every piece behind it.
      if (length !== leaves.length * pieceLength) return false
      leaves.push(Hash)
      length += Number(file.blockSizes[i])
    }
    return true
  }
  try {
    if (!(await visit(root, 0)) || leaves.length === 0) return undefined
  } catch {
    return undefined
  }
  return Math.ceil(length / pieceLength) === leaves.length ? { leaves, length } : undefined
}

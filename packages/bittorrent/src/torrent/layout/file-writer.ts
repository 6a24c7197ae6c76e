import { createHash } from 'node:crypto'
import * as dagPb from '@ipld/dag-pb'
import type { Block } from '@p2pl/core/backend'
import { CID } from 'multiformats/cid'
import * as raw from 'multiformats/codecs/raw'
import * as Digest from 'multiformats/hashes/digest'
import { plain } from '../../tools/bytes.ts'
import { encodeInnerNode, type Part } from './inner-node.ts'

/** The profile `unixfs-v1-2025`: raw leaves of 1 MiB, at most this many links in a node. */
const maxLinks = 1_024
const sha256 = 0x12

/** Lays a file out as every other backend does, leaf by leaf, and hands out the blocks on the way. */
export class FileWriter {
  readonly #put: (block: Block) => Promise<void>
  readonly #levels: Part[][] = [[]]

  constructor(put: (block: Block) => Promise<void>) {
    this.#put = put
  }

  /** All but the last have 1 MiB. Gives the CID of the leaf, once it is stored. */
  async add(bytes: Uint8Array): Promise<CID> {
    const cid = await this.#store(raw.code, bytes)
    await this.addLeaf(cid, bytes.byteLength)
    return cid
  }

  /** A leaf that is stored already. */
  async addLeaf(cid: CID, size: number): Promise<void> {
    await this.#append(0, { cid, size, total: size })
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
    const bytes = encodeInnerNode(parts)
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

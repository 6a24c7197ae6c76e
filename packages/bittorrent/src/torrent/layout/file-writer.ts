import { createHash } from 'node:crypto'
import { compactBytes, type Block } from '@p2pl/core/backend'
import { codecs, profile, TreeBuilder } from '@p2pl/core/content'
import { CID } from 'multiformats/cid'
import * as Digest from 'multiformats/hashes/digest'

const sha256 = 0x12

/** Lays out a file as every other backend does, leaf by leaf, and emits the blocks on the way. */
export class FileWriter {
  readonly #put: (block: Block) => Promise<void>
  readonly #tree: TreeBuilder
  #empty = true

  constructor(put: (block: Block) => Promise<void>) {
    this.#put = put
    this.#tree = new TreeBuilder(profile.maxLinks, put)
  }

  /** Adds a leaf; all leaves but the last have 1 MiB. Resolves with the CID of the leaf, once it is stored. */
  async add(bytes: Uint8Array): Promise<CID> {
    const digest = compactBytes(createHash('sha256').update(bytes).digest())
    const cid = CID.createV1(codecs.raw, Digest.create(sha256, digest))
    await this.#put({ cid, bytes })
    await this.addLeaf(cid, bytes.byteLength)
    return cid
  }

  /** Adds a leaf that is already stored. */
  async addLeaf(cid: CID, size: number): Promise<void> {
    this.#empty = false
    await this.#tree.add({ cid, contentBytes: size, blockBytes: size })
  }

  async finish(): Promise<CID> {
    if (this.#empty) await this.add(new Uint8Array())
    return (await this.#tree.finish()).cid
  }
}

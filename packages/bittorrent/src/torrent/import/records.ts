import { concatBytes } from '@p2pl/core/backend'
import type { Table } from '@p2pl/embedded'
import { CID } from 'multiformats/cid'
import * as raw from 'multiformats/codecs/raw'
import * as Digest from 'multiformats/hashes/digest'
import { bdecode, bencode } from '../../tools/bencode.ts'
import { readUint32, uint32 } from '../../tools/bytes.ts'
import { infoHashLength, parseInfo, pieceLength, type TorrentInfo } from '../metainfo/info.ts'

const leafKeyLength: number = infoHashLength + 4

export interface ImportRecord {
  readonly info: TorrentInfo
  /** The root of the file, once all of it was here. */
  readonly root: CID | undefined
}

/**
 * What is known about torrents of finished and unfinished imports, so that an interrupted import continues where it
 * stopped: the info and the root under the infohash, each leaf under the infohash and its index.
 */
export class ImportRecords {
  readonly #table: Table

  constructor(table: Table) {
    this.#table = table
  }

  async get(infoHash: Uint8Array): Promise<ImportRecord | undefined> {
    const value = await this.#table.get(infoHash)
    if (value === undefined) return undefined
    const record = bdecode(value).value as { info: Uint8Array; root?: Uint8Array }
    return { info: parseInfo(record.info), root: record.root === undefined ? undefined : CID.decode(record.root) }
  }

  async begin({ infoHash, bytes }: TorrentInfo): Promise<void> {
    await this.#table.write([{ key: infoHash, value: bencode({ info: bytes }) }])
  }

  /** The leaf is stored. */
  async add({ infoHash }: TorrentInfo, index: number, leaf: CID): Promise<void> {
    await this.#table.write([{ key: concatBytes(infoHash, uint32(index)), value: leaf.multihash.bytes }])
  }

  /** The leaves that were stored at some time, if known. */
  async leaves({ infoHash, length }: TorrentInfo): Promise<(CID | undefined)[]> {
    const leaves: (CID | undefined)[] = []
    const count = Math.ceil(length / pieceLength)
    for await (const key of this.#table.keys(infoHash)) {
      const multihash = key.byteLength === leafKeyLength ? await this.#table.get(key) : undefined
      const index = multihash === undefined ? count : readUint32(key, infoHashLength)
      if (multihash !== undefined && index < count) leaves[index] = CID.createV1(raw.code, Digest.decode(multihash))
    }
    return leaves
  }

  /** The whole file is here. From now on its nodes list the leaves. */
  async finish({ infoHash, bytes }: TorrentInfo, root: CID, leaves: number): Promise<void> {
    const done = { key: infoHash, value: bencode({ info: bytes, root: root.bytes }) }
    const obsolete = Array.from({ length: leaves }, (_, index) => ({
      key: concatBytes(infoHash, uint32(index)),
      value: undefined
    }))
    await this.#table.write([done, ...obsolete])
  }
}

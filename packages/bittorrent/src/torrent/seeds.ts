import { bytesKey, concatBytes, untilAborted } from '@p2pl/core/backend'
import { CID } from 'multiformats/cid'
import type { Table } from '@p2pl/embedded'
import type { Links } from '../overlay/links/links.ts'
import type { Rendezvous } from '../overlay/rendezvous/rendezvous.ts'
import { bdecode, bencode } from '../tools/bencode.ts'
import { hexOf } from '../tools/bytes.ts'
import { Pace } from '../tools/pace.ts'
import { leavesOf, type Load } from './layout/leaves.ts'
import { makeInfo, parseInfo, pieceLength, sha1, type TorrentInfo } from './metainfo/info.ts'
import type { Publications } from './publications.ts'

/** A seeded file. */
export interface Seed {
  readonly root: CID
  readonly info: TorrentInfo
}

export interface SeedsInit {
  /** Torrents by the multihash of the root. */
  readonly table: Table
  readonly load: Load
  readonly links: Links
  readonly rendezvous: Rendezvous
  readonly publications: Publications
}

/** The files that are seeded as ordinary BitTorrent v1 torrents, across restarts. */
export class Seeds {
  readonly #init: SeedsInit
  readonly #byInfoHash = new Map<string, Seed>()
  readonly #byRoot = new Map<string, Seed>()
  /** Files that are being stored as seeds and provided for the first time, by root. */
  readonly #telling = new Map<string, Promise<void>>()

  constructor(init: SeedsInit) {
    this.#init = init
  }

  /** Loads the files of earlier runs. */
  async start(): Promise<void> {
    const { table, rendezvous, publications } = this.#init
    for await (const key of table.keys()) {
      const value = await table.get(key)
      if (value === undefined) continue
      const record = bdecode(value).value as { root: Uint8Array; info: Uint8Array }
      this.#add({ root: CID.decode(record.root), info: parseInfo(record.info) })
    }
    for (const { info, root } of this.#byInfoHash.values()) {
      rendezvous.keepSoon(info.infoHash)
      publications.keep(root.multihash.bytes, info.infoHash)
    }
  }

  /** `infoHash`: hexadecimal digits. */
  get(infoHash: string): Seed | undefined {
    return this.#byInfoHash.get(infoHash)
  }

  infoHashOf(multihash: Uint8Array): Uint8Array | undefined {
    return this.#byRoot.get(bytesKey(multihash))?.info.infoHash
  }

  /**
   * Seeds the file. Resolves once others can find it, or with `undefined` when it is not a file or not all of it is
   * stored here.
   */
  async add(root: CID, signal: AbortSignal): Promise<TorrentInfo | undefined> {
    const { load } = this.#init
    const key = root.multihash.bytes
    const name = bytesKey(key)
    const info = this.#byRoot.get(name)?.info ?? (await infoOf(root, load, signal))
    if (info === undefined) return undefined
    if (this.#byRoot.has(name)) {
      // Another call may be providing it right now.
      await untilAborted(this.#telling.get(name) ?? Promise.resolve(), signal)
      return info
    }
    this.#add({ root, info })
    const telling = this.#tell({ root, info }, signal)
    const settled = telling.catch(() => {}).finally(() => this.#telling.delete(name))
    this.#telling.set(name, settled)
    await telling
    return info
  }

  async #tell({ root, info }: Seed, signal: AbortSignal): Promise<void> {
    const { table, rendezvous, publications } = this.#init
    const key = root.multihash.bytes
    await table.write([{ key, value: bencode({ info: info.bytes, root: root.bytes }) }])
    publications.keep(key, info.infoHash)
    if (rendezvous.meets) await this.#provide(info.infoHash, signal)
  }

  /** Resolves with the infohash of the file if it was seeded. */
  async remove(multihash: Uint8Array): Promise<string | undefined> {
    const seed = this.#byRoot.get(bytesKey(multihash))
    if (seed === undefined) return undefined
    const { table, rendezvous, publications } = this.#init
    const infoHash = hexOf(seed.info.infoHash)
    this.#byRoot.delete(bytesKey(multihash))
    this.#byInfoHash.delete(infoHash)
    rendezvous.drop(seed.info.infoHash)
    publications.drop(multihash)
    await table.write([{ key: multihash, value: undefined }])
    return infoHash
  }

  #add(seed: Seed): void {
    this.#byInfoHash.set(hexOf(seed.info.infoHash), seed)
    this.#byRoot.set(bytesKey(seed.root.multihash.bytes), seed)
  }

  async #provide(infoHash: Uint8Array, signal: AbortSignal): Promise<void> {
    const { rendezvous, links } = this.#init
    const linked = (): boolean => links.all().length > 0
    const taken = (await rendezvous.reachable(linked, signal)) && (await rendezvous.put(infoHash, () => {}, signal))
    if (taken) rendezvous.keep(infoHash)
    else rendezvous.keepSoon(infoHash)
  }
}

/** The torrent of a stored file; `undefined` when it is not a file, is empty, or not all of it is stored here. */
export async function infoOf(root: CID, load: Load, signal: AbortSignal): Promise<TorrentInfo | undefined> {
  const file = await leavesOf(root, load)
  if (file === undefined || file.length === 0) return undefined
  const hashes: Uint8Array[] = []
  const pace = new Pace()
  for (const [index, leaf] of file.leaves.entries()) {
    signal.throwIfAborted()
    await pace.keep()
    const bytes = await load(leaf)
    // A node may claim anything about the sizes below it.
    if (bytes?.byteLength !== Math.min(pieceLength, file.length - index * pieceLength)) return undefined
    hashes.push(sha1(bytes))
  }
  return makeInfo(root.toV1().toString(), file.length, concatBytes(...hashes))
}

import { CID } from 'multiformats/cid'
import type { Address } from '../address.ts'
import { concatBytes, hexOf, textOf } from '../bytes.ts'
import type { Engine } from '../engine/engine.ts'
import type { GuardedWire } from '../engine/wire.ts'
import { matches } from '../hashes.ts'
import { bdecode, bencode } from './bencode.ts'
import { Download } from './download.ts'
import { makeInfo, parseInfo, pieceLength, sha1, type TorrentInfo } from './info.ts'
import { leavesOf } from './layout.ts'
import { seedOn } from './seed.ts'

const maxCachedLeaves = 16
/** A download that nobody asked for a piece of for so long ends. */
const idleLimit = 60_000
const maxDownloads = 16
const searchLimit = 3_000

/** A file that is seeded. */
interface Seed {
  readonly root: CID
  readonly info: TorrentInfo
  leaves: Promise<readonly CID[]> | undefined
}

/** A file that is fetched from a swarm. */
interface Session {
  readonly download: Download
  readonly leaves: ReadonlyMap<string, number>
  timer: NodeJS.Timeout
}

/** Files as ordinary BitTorrent v1 torrents: those that are provided are seeded, others are fetched from whoever seeds them. */
export class Torrents {
  readonly #engine: Engine
  readonly #peerId: Uint8Array
  readonly #seeds = new Map<string, Seed>()
  /** By multihash of the root. */
  readonly #byRoot = new Map<string, Seed>()
  readonly #cache = new Map<string, Uint8Array>()
  readonly #sessions = new Map<string, Promise<Session | undefined>>()
  readonly #downloads = new Set<Download>()
  #stopped = false

  constructor(engine: Engine, peerId: Uint8Array) {
    this.#engine = engine
    this.#peerId = peerId
  }

  /** Takes up what was seeded in a former life. */
  async start(): Promise<void> {
    const { torrents } = this.#engine.stores
    for await (const key of torrents.keys()) {
      const value = await torrents.get(key)
      if (value === undefined) continue
      const record = bdecode(value).value as { root: Uint8Array; info: Uint8Array }
      this.#add({ root: CID.decode(record.root), info: parseInfo(record.info), leaves: undefined })
    }
    for (const { info } of this.#seeds.values()) this.#engine.rendezvous.keepSoon(info.infoHash)
  }

  stop(): void {
    this.#stopped = true
    for (const download of this.#downloads) download.stop()
    for (const session of this.#sessions.values()) void session.then((open) => clearTimeout(open?.timer))
  }

  /** An incoming wire of some infohash. Whether it is one of those that are seeded. */
  adopt(infoHash: string, guarded: GuardedWire): boolean {
    const seed = this.#seeds.get(infoHash)
    if (seed === undefined) return false
    const read = (offset: number, length: number): Promise<Uint8Array> => this.#read(seed, offset, length)
    seedOn(guarded, { info: seed.info, peerId: this.#peerId, port: this.#engine.links.port, read })
    return true
  }

  infoHashOf(multihash: Uint8Array): Uint8Array | undefined {
    return this.#byRoot.get(textOf(multihash))?.info.infoHash
  }

  /** Seeds the file; `undefined` when it is none, or not all of it is stored here. */
  async seed(root: CID, signal: AbortSignal): Promise<TorrentInfo | undefined> {
    const known = this.#byRoot.get(textOf(root.multihash.bytes))
    if (known !== undefined) return known.info
    const file = await leavesOf(root, (cid) => this.#load(cid))
    if (file === undefined || file.length === 0) return undefined
    const hashes: Uint8Array[] = []
    for (const leaf of file.leaves) {
      signal.throwIfAborted()
      const bytes = await this.#load(leaf)
      if (bytes === undefined) return undefined
      hashes.push(sha1(bytes))
    }
    const info = makeInfo(root.toV1().toString(), file.length, concatBytes(...hashes))
    this.#add({ root, info, leaves: Promise.resolve(file.leaves) })
    const key = root.multihash.bytes
    await this.#engine.stores.torrents.write([{ key, value: bencode({ info: info.bytes, root: root.bytes }) }])
    await this.#announce(info.infoHash, signal)
    return info
  }

  async unseed(multihash: Uint8Array): Promise<void> {
    const seed = this.#byRoot.get(textOf(multihash))
    if (seed === undefined) return
    this.#byRoot.delete(textOf(multihash))
    this.#seeds.delete(hexOf(seed.info.infoHash))
    this.#engine.rendezvous.drop(seed.info.infoHash)
    await this.#engine.stores.torrents.write([{ key: multihash, value: undefined }])
  }

  download(infoHash: Uint8Array, info: TorrentInfo | undefined, peers: readonly Address[]): Download {
    const { links, rendezvous } = this.#engine
    const download = new Download({ infoHash, info, peers, links, rendezvous, peerId: this.#peerId })
    this.#downloads.add(download)
    return download
  }

  end(download: Download): void {
    this.#downloads.delete(download)
    download.stop()
  }

  /** A leaf of a file, out of the swarm of the file. `undefined` when there is none, or it does not hold this leaf. */
  async leaf(cid: CID, root: CID, signal: AbortSignal): Promise<Uint8Array | undefined> {
    const name = textOf(root.multihash.bytes)
    let opening = this.#sessions.get(name)
    if (opening === undefined) {
      if (this.#sessions.size >= maxDownloads || this.#stopped) return undefined
      opening = this.#open(name, root)
      this.#sessions.set(name, opening)
    }
    const session = await opening
    const index = session?.leaves.get(textOf(cid.multihash.bytes))
    if (session === undefined || index === undefined) {
      if (session === undefined) this.#sessions.delete(name)
      return undefined
    }
    session.timer.refresh()
    const bytes = await session.download.piece(index, signal)
    session.timer.refresh()
    // The swarm vouches for its sha1 only.
    return matches(cid.multihash.bytes, bytes) ? bytes : undefined
  }

  async #open(name: string, root: CID): Promise<Session | undefined> {
    const file = await leavesOf(root, (cid) => this.#load(cid))
    if (file === undefined || file.leaves.length < 2) return undefined
    const { links, queries } = this.#engine
    const signal = AbortSignal.timeout(searchLimit)
    const answers = links.all().map(async (link) => {
      const infoHash = await queries.torrent(link, root.multihash.bytes, signal)
      return infoHash === undefined ? undefined : { infoHash, peer: link.address }
    })
    const known = (await Promise.all(answers)).filter((answer) => answer !== undefined)
    const [first] = known
    if (first === undefined || this.#stopped) return undefined
    const peers = known
      .filter(({ infoHash }) => hexOf(infoHash) === hexOf(first.infoHash))
      .flatMap(({ peer }) => peer ?? [])
    const download = this.download(first.infoHash, undefined, peers)
    const timer = setTimeout(() => {
      this.#sessions.delete(name)
      this.end(download)
    }, idleLimit).unref()
    return {
      download,
      leaves: new Map(file.leaves.map((leaf, index) => [textOf(leaf.multihash.bytes), index])),
      timer
    }
  }

  async #announce(infoHash: Uint8Array, signal: AbortSignal): Promise<void> {
    const { rendezvous, links } = this.#engine
    if (!rendezvous.exists) return
    const linked = (): boolean => links.all().length > 0
    const taken =
      (await rendezvous.reachable(linked, signal)) && (await rendezvous.announce(infoHash, () => {}, signal))
    if (taken) rendezvous.keep(infoHash)
    else rendezvous.keepSoon(infoHash)
  }

  #add(seed: Seed): void {
    this.#seeds.set(hexOf(seed.info.infoHash), seed)
    this.#byRoot.set(textOf(seed.root.multihash.bytes), seed)
  }

  #load(cid: CID): Promise<Uint8Array | undefined> {
    return this.#engine.stores.blocks.get(cid.multihash.bytes)
  }

  /** Bytes of a seeded file. A request of a piece's part comes with sixty others of the same leaf. */
  async #read(seed: Seed, offset: number, length: number): Promise<Uint8Array> {
    seed.leaves ??= leavesOf(seed.root, (cid) => this.#load(cid)).then((file) => file?.leaves ?? [])
    const leaves = await seed.leaves
    const bytes = await this.#leafBytes(leaves[Math.floor(offset / pieceLength)])
    const start = offset % pieceLength
    if (start + length > bytes.byteLength) throw new RangeError('a request across leaves')
    return bytes.subarray(start, start + length)
  }

  async #leafBytes(leaf: CID | undefined): Promise<Uint8Array> {
    const key = leaf === undefined ? '' : textOf(leaf.multihash.bytes)
    const bytes = this.#cache.get(key) ?? (leaf === undefined ? undefined : await this.#load(leaf))
    if (bytes === undefined) throw new Error('the leaf is not stored here any more')
    // The oldest goes first.
    this.#cache.delete(key)
    this.#cache.set(key, bytes)
    for (const oldest of this.#cache.keys()) {
      if (this.#cache.size <= maxCachedLeaves) break
      this.#cache.delete(oldest)
    }
    return bytes
  }
}

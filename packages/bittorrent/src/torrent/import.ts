import type { CID } from 'multiformats/cid'
import * as raw from 'multiformats/codecs/raw'
import type { Block } from '@p2pl/core/backend'
import { untilAborted } from '@p2pl/embedded'
import type { Engine } from '../engine/engine.ts'
import { failure } from '../errors.ts'
import { hexOf, plain } from '../bytes.ts'
import { infoOfFile, parseMagnet, pieceCount, pieceLength, type Magnet, type TorrentInfo } from './info.ts'
import { FileWriter, leavesOf } from './layout.ts'
import type { LeafReader } from './leaves.ts'
import type { PieceStore } from './store.ts'
import type { ImportProgress, ImportResult } from './types.ts'

/** Pieces that are fetched ahead, in bytes. */
const ahead = 16 * 1024 * 1024

/**
 * Downloads the file of a torrent from whoever seeds it and lays it out as blocks. The CID is that of the content: it does
 * not depend on the torrent.
 */
export async function importTorrent(
  engine: Engine,
  source: string | Uint8Array,
  onProgress: ((progress: ImportProgress) => void) | undefined,
  signal: AbortSignal,
  put: (block: Block) => Promise<void>
): Promise<ImportResult> {
  const { infoHash, info, peers } = parseSource(source)
  for (const { host } of peers) engine.gate.give(host)
  const name = hexOf(infoHash)
  const { imports } = engine.torrents
  for (let other = imports.get(name); other !== undefined; other = imports.get(name)) {
    try {
      // One swarm for all who want it: what comes in is theirs, too.
      return await untilAborted(other, signal)
    } catch {
      signal.throwIfAborted()
    }
  }
  const importing = importFrom(engine, { infoHash, info, peers }, onProgress, signal, put)
  imports.set(name, importing)
  try {
    return await importing
  } finally {
    imports.delete(name)
  }
}

type Source = Magnet & { readonly info: TorrentInfo | undefined }

async function importFrom(
  engine: Engine,
  { infoHash, info, peers }: Source,
  onProgress: ((progress: ImportProgress) => void) | undefined,
  signal: AbortSignal,
  put: (block: Block) => Promise<void>
): Promise<ImportResult> {
  const own = await ownFile(engine, infoHash)
  if (own !== undefined) return own
  const file = new IncomingFile(engine.torrents.reader, put, onProgress)
  const { swarm, leave } = await engine.torrents.join({ infoHash, info, peers, store: file })
  try {
    return await file.take(await swarm.info(signal), (index) => swarm.piece(index, signal))
  } catch (cause) {
    signal.throwIfAborted()
    if (!(cause instanceof RangeError)) throw cause
    throw failure({
      code: 'UNSUPPORTED',
      operation: 'importTorrent',
      cause,
      message: `the torrent ${hexOf(infoHash)} cannot be taken in: ${cause.message}`
    })
  } finally {
    leave()
  }
}

/** What is seeded here is here, unless somebody deleted a part of it. */
async function ownFile({ torrents, stores }: Engine, infoHash: Uint8Array): Promise<ImportResult | undefined> {
  const seed = torrents.seedOf(infoHash)
  const file = seed === undefined ? undefined : await leavesOf(seed.root, (cid) => torrents.load(cid))
  if (seed === undefined || file === undefined) return undefined
  for (const leaf of file.leaves) if (!(await stores.blocks.has(leaf.multihash.bytes))) return undefined
  return { cid: seed.root, name: seed.info.name, size: seed.info.length }
}

/** A file that comes in pieces of any length, and goes out as leaves of 1 MiB. */
class IncomingFile implements PieceStore {
  readonly #reader: LeafReader
  readonly #writer: FileWriter
  readonly #onProgress: ((progress: ImportProgress) => void) | undefined
  readonly #leaves: CID[] = []
  /** Pieces that are here and are not yet wholly in stored leaves. */
  readonly #held = new Map<number, Uint8Array>()
  #info: TorrentInfo | undefined

  constructor(
    reader: LeafReader,
    put: (block: Block) => Promise<void>,
    onProgress: ((progress: ImportProgress) => void) | undefined
  ) {
    this.#reader = reader
    this.#onProgress = onProgress
    this.#writer = new FileWriter(async (block) => {
      await put(block)
      if (block.cid.code === raw.code) this.#leaves.push(block.cid)
    })
  }

  /** For others of the swarm, while it comes in. */
  async read(start: number, length: number): Promise<Uint8Array> {
    const each = this.#info?.pieceLength ?? 1
    const index = Math.floor(start / each)
    const piece = this.#held.get(index)
    if (piece === undefined) return await this.#reader.read(this.#leaves, start, length)
    return piece.subarray(start - index * each, start - index * each + length)
  }

  write(index: number, bytes: Uint8Array): Promise<void> {
    this.#held.set(index, bytes)
    return Promise.resolve()
  }

  async take(info: TorrentInfo, fetch: (index: number) => Promise<Uint8Array>): Promise<ImportResult> {
    this.#info = info
    let leaf: Uint8Array = new Uint8Array(Math.min(pieceLength, info.length))
    let filled = 0
    let stored = 0
    let released = 0
    for await (const piece of piecesOf(info, fetch)) {
      for (let at = 0; at < piece.byteLength;) {
        const part = piece.subarray(at, at + leaf.byteLength - filled)
        // A piece that is a leaf is not copied.
        if (part.byteLength === leaf.byteLength) leaf = plain(part)
        else leaf.set(part, filled)
        filled += part.byteLength
        at += part.byteLength
        if (filled < leaf.byteLength) continue
        await this.#writer.add(leaf)
        stored += filled
        this.#onProgress?.({ bytes: stored, total: info.length })
        leaf = new Uint8Array(Math.min(pieceLength, info.length - stored))
        filled = 0
      }
      while ((released + 1) * info.pieceLength <= stored) this.#held.delete(released++)
    }
    return { cid: await this.#writer.finish(), name: info.name, size: info.length }
  }
}

/** In their order, several under way at a time. */
async function* piecesOf(
  info: TorrentInfo,
  fetch: (index: number) => Promise<Uint8Array>
): AsyncGenerator<Uint8Array, void, undefined> {
  const count = pieceCount(info)
  const window = Math.max(2, Math.floor(ahead / info.pieceLength))
  const waiting: Promise<Uint8Array>[] = []
  for (let next = 0; next < count || waiting.length > 0;) {
    while (next < count && waiting.length < window) {
      const piece = fetch(next++)
      piece.catch(() => {})
      waiting.push(piece)
    }
    yield await (waiting.shift() as Promise<Uint8Array>)
  }
}

function parseSource(source: string | Uint8Array): Source {
  try {
    if (typeof source === 'string') return { ...parseMagnet(source), info: undefined }
    const info = infoOfFile(source)
    return { infoHash: info.infoHash, info, peers: [] }
  } catch (cause) {
    throw failure({
      code: 'INVALID_ARGUMENT',
      operation: 'importTorrent',
      cause,
      message: `not a magnet link or the bytes of a .torrent file that can be taken in: ${cause instanceof Error ? cause.message : String(cause)}`
    })
  }
}

import { type Block, equalBytes, untilAborted } from '@p2pl/core/backend'
import { CID } from 'multiformats/cid'
import { failure } from '../../tools/failure.ts'
import type { ProfileGate } from '@p2pl/embedded'
import { hexOf } from '../../tools/bytes.ts'
import { Pace } from '../../tools/pace.ts'
import type { LeafReader } from '../layout/leaf-reader.ts'
import { leavesOf, type Load } from '../layout/leaves.ts'
import { pieceCount, type TorrentInfo } from '../metainfo/info.ts'
import { UnsupportedTorrent } from '../metainfo/unsupported.ts'
import { infoOf, type Seeds } from '../seeds.ts'
import type { Swarms } from '../swarms.ts'
import { IncomingFile } from './incoming-file.ts'
import { LazySwarm } from './lazy-swarm.ts'
import { LocalPieces } from './local-pieces.ts'
import type { ImportRecords } from './records.ts'
import { parseSource, sourceError, type Source } from './source.ts'
import type { ImportProgress, ImportResult } from './types.ts'

/** How many pieces are fetched ahead: in bytes, and their number. */
const aheadBytes: number = 16 * 1024 * 1024
const aheadPieces = 256
/**
 * A garbage collection may remove blocks of an import. Then the import goes through its pieces again, at most this
 * often.
 */
const maxRounds = 3

export interface ImportsInit {
  readonly gate: ProfileGate
  readonly seeds: Seeds
  readonly swarms: Swarms
  readonly records: ImportRecords
  readonly reader: LeafReader
  readonly load: Load
  readonly has: (cid: CID) => Promise<boolean>
  readonly put: (block: Block) => Promise<void>
}

type OnProgress = ((progress: ImportProgress) => void) | undefined

/** Downloads files of torrents and lays them out as blocks. The CID depends on the content only, not on the torrent. */
export class Imports {
  readonly #init: ImportsInit
  /** Running imports, by infohash. */
  readonly #imports = new Map<string, Promise<ImportResult>>()

  constructor(init: ImportsInit) {
    this.#init = init
  }

  async import(from: string | Uint8Array, onProgress: OnProgress, signal: AbortSignal): Promise<ImportResult> {
    const source = parseSource(from)
    for (const { host } of source.peers) this.#init.gate.allow(host)
    const name = hexOf(source.infoHash)
    for (let other = this.#imports.get(name); other !== undefined; other = this.#imports.get(name)) {
      try {
        // All callers share one swarm.
        return await untilAborted(other, signal)
      } catch {
        signal.throwIfAborted()
      }
    }
    const importing = this.#import(source, onProgress, signal)
    this.#imports.set(name, importing)
    try {
      return await importing
    } finally {
      this.#imports.delete(name)
    }
  }

  async #import(source: Source, onProgress: OnProgress, signal: AbortSignal): Promise<ImportResult> {
    const known = await this.#known(source, signal)
    if (known.info !== undefined && known.whole !== undefined) return resultOf(known.whole, known.info)
    for (let round = 0; round < maxRounds; round++) {
      const { root, info } = await this.#fetch(source, known, onProgress, signal)
      if (await this.#isWhole(root)) return resultOf(root, info)
      known.roots.unshift(root)
    }
    throw failure({
      code: 'STORAGE',
      operation: 'importTorrent',
      retryable: true,
      message: 'blocks of the file were removed while it came in: try again when no gc is under way'
    })
  }

  async #known({ infoHash, info, name }: Source, signal: AbortSignal): Promise<Known> {
    const record = await this.#init.records.get(infoHash)
    const seed = this.#init.seeds.get(hexOf(infoHash))
    const root = record?.root ?? seed?.root
    const about = info ?? record?.info ?? seed?.info
    const whole = root !== undefined && (await this.#isWhole(root)) ? root : undefined
    // Torrents made by a p2pl peer have the CID as their name.
    const named = cidOf(about?.name ?? name)
    const roots = [root, named].filter((each) => each !== undefined)
    if (about !== undefined || named === undefined) return { info: about, whole, roots }
    const made = (await this.#isWhole(named)) ? await infoOf(named, this.#init.load, signal) : undefined
    if (made === undefined || !equalBytes(made.infoHash, infoHash)) return { info: undefined, whole, roots }
    return { info: made, whole: named, roots }
  }

  async #fetch(source: Source, known: Known, onProgress: OnProgress, signal: AbortSignal): Promise<Fetched> {
    const { records, swarms } = this.#init
    const { infoHash, peers } = source
    const swarm = new LazySwarm((info, store) => swarms.join({ infoHash, info, peers, store }))
    try {
      const info = known.info ?? (await swarm.info(signal))
      if ((await records.get(infoHash)) === undefined) await records.begin(info)
      const root = await this.#take(info, await this.#localPieces(info, known.roots), swarm, onProgress, signal)
      return { root, info }
    } catch (cause) {
      signal.throwIfAborted()
      if (!(cause instanceof RangeError) && !(cause instanceof UnsupportedTorrent)) throw cause
      throw sourceError(cause, `the torrent ${hexOf(infoHash)}`, 'UNSUPPORTED')
    } finally {
      swarm.leave()
    }
  }

  async #isWhole(root: CID): Promise<boolean> {
    const file = await leavesOf(root, this.#init.load)
    const pace = new Pace()
    for (const leaf of file?.leaves ?? []) {
      await pace.keep()
      if (!(await this.#init.has(leaf))) return false
    }
    return file !== undefined
  }

  /** The pieces that can be made from leaves that are known and stored here. */
  async #localPieces(info: TorrentInfo, roots: readonly CID[]): Promise<LocalPieces> {
    const { load, records } = this.#init
    for (const root of roots) {
      const file = await leavesOf(root, load)
      if (file?.length === info.length) return new LocalPieces(info, file.leaves, load)
    }
    return new LocalPieces(info, await records.leaves(info), load)
  }

  async #take(
    info: TorrentInfo,
    local: LocalPieces,
    swarm: LazySwarm,
    onProgress: OnProgress,
    signal: AbortSignal
  ): Promise<CID> {
    const { records, reader, put, has } = this.#init
    const file = new IncomingFile({
      info,
      reader,
      put: async (block) => ((await has(block.cid)) ? undefined : await put(block)),
      stored: async (index, leaf, bytes) => {
        await records.add(info, index, leaf)
        onProgress?.({ bytes, total: info.length })
      }
    })
    swarm.file = file
    const piece = async (index: number): Promise<Uint8Array> =>
      (await local.piece(index)) ?? (await swarm.piece(info, index, signal))
    const root = await file.take(piecesOf(info, piece))
    await records.finish(info, root, file.leaves.length)
    return root
  }
}

interface Known {
  readonly info: TorrentInfo | undefined
  /** The root of the file if all of it is stored here. */
  readonly whole: CID | undefined
  /** Roots of files that may have the same leaves. */
  readonly roots: CID[]
}

interface Fetched {
  readonly root: CID
  readonly info: TorrentInfo
}

function resultOf(cid: CID, { name, length }: TorrentInfo): ImportResult {
  return { cid, name, size: length }
}

function cidOf(name: string | undefined): CID | undefined {
  try {
    return name === undefined ? undefined : CID.parse(name)
  } catch {
    return undefined
  }
}

/** The pieces that contain the file, in order. Several are fetched at a time. */
async function* piecesOf(
  info: TorrentInfo,
  fetch: (index: number) => Promise<Uint8Array>
): AsyncGenerator<readonly [number, Uint8Array], void, undefined> {
  const end = Math.min(pieceCount(info), Math.ceil((info.offset + info.length) / info.pieceLength))
  const window = Math.min(aheadPieces, Math.max(2, Math.floor(aheadBytes / info.pieceLength)))
  const waiting: (readonly [number, Promise<Uint8Array>])[] = []
  for (let next = info.length === 0 ? end : Math.floor(info.offset / info.pieceLength); ;) {
    for (; next < end && waiting.length < window; next++) {
      const piece = fetch(next)
      piece.catch(() => {})
      waiting.push([next, piece])
    }
    const first = waiting.shift()
    if (first === undefined) return
    yield [first[0], await first[1]]
  }
}

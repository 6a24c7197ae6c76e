import type { Block } from '@p2pl/core/backend'
import type { Engine } from '../engine/engine.ts'
import { failure } from '../errors.ts'
import { infoOfFile, parseMagnet, pieceCount, pieceLength, type Magnet, type TorrentInfo } from './info.ts'
import { FileWriter } from './layout.ts'
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
  const { infoHash, info: given, peers } = parseSource(source)
  for (const { host } of peers) engine.gate.give(host)
  const download = engine.torrents.download(infoHash, given, peers)
  try {
    const info = await download.info(signal)
    const writer = new FileWriter(put)
    let leaf = new Uint8Array(Math.min(pieceLength, info.length))
    let filled = 0
    let stored = 0
    for await (const piece of piecesOf(info, (index) => download.piece(index, signal))) {
      for (let at = 0; at < piece.byteLength;) {
        const part = piece.subarray(at, at + leaf.byteLength - filled)
        leaf.set(part, filled)
        filled += part.byteLength
        at += part.byteLength
        if (filled < leaf.byteLength) continue
        await writer.add(leaf)
        stored += filled
        onProgress?.({ bytes: stored, total: info.length })
        leaf = new Uint8Array(Math.min(pieceLength, info.length - stored))
        filled = 0
      }
    }
    return { cid: await writer.finish(), name: info.name, size: info.length }
  } finally {
    engine.torrents.end(download)
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

function parseSource(source: string | Uint8Array): Magnet & { readonly info: TorrentInfo | undefined } {
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

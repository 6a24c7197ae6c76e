import type { Socket } from 'node:net'
import type Wire from 'bittorrent-protocol'
import { guard } from '../engine/wire.ts'
import { pieceCount, pieceSize, type TorrentInfo } from './info.ts'

const maxRequestLength = 131_072
/** Requests that wait for their turn: what waits is requests, not data. */
const maxWaitingRequests = 2_048
/** Requests whose data was asked for and has not come. */
const maxOpenRequests = 32

export interface TorrentWire {
  readonly wire: Wire
  readonly socket: Socket
  /** The torrent's, once it is known. */
  readonly info: () => TorrentInfo | undefined
  /** Bytes that hash to the infohash came. Whether they are the info of a torrent that can be taken in. */
  readonly accepts: (info: Uint8Array) => boolean
}

/** Puts a fence around a wire that WebTorrent has just opened, before the first message after the handshake is read. */
export function fence({ wire, socket, info, accepts }: TorrentWire): void {
  const fail = (): void => {
    wire._parse(Number.MAX_VALUE, () => {})
    socket.destroy()
  }
  guard(wire, fail)
  fenceMetadata(wire, fail, accepts)
  fenceRequests(wire, socket, fail, info)
}

/**
 * `ut_metadata` reads every message as a dictionary, keeps metadata of any shape that has the right hash, and does both in
 * asynchronous functions that nobody waits for: what they throw would end the process.
 */
function fenceMetadata(wire: Wire, fail: () => void, accepts: (info: Uint8Array) => boolean): void {
  const metadata = wire.ut_metadata
  if (metadata === undefined) return
  const check = metadata._checkDone.bind(metadata)
  metadata._checkDone = async () => {
    try {
      await check()
    } catch {
      fail()
    }
  }
  const set = metadata.setMetadata.bind(metadata)
  metadata.setMetadata = async (bytes) => {
    try {
      const complete = metadata._metadataComplete
      // Its own hash check comes first, and has to: this one is for what passes it.
      if (!complete && metadata._fetching && !accepts(bytes)) {
        fail()
        return false
      }
      return await set(bytes)
    } catch {
      fail()
      return false
    }
  }
}

/** Requests are answered one after the other, as fast as the other reads; the library would read all of them at once. */
function fenceRequests(wire: Wire, socket: Socket, fail: () => void, info: () => TorrentInfo | undefined): void {
  const onRequest = wire._onRequest.bind(wire)
  const onCancel = wire._onCancel.bind(wire)
  const choke = wire.choke.bind(wire)
  const waiting: { index: number; offset: number; length: number }[] = []
  let running = false
  let wake = (): void => {}
  for (const event of ['upload', 'cancel']) wire.on(event, () => wake())
  for (const event of ['drain', 'close']) socket.on(event, () => wake())
  const run = async (): Promise<void> => {
    running = true
    try {
      for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
        onRequest(next.index, next.offset, next.length)
        while (!socket.destroyed && (wire.peerRequests.length >= maxOpenRequests || socket.writableNeedDrain))
          await new Promise<void>((resolve) => (wake = resolve))
        if (socket.destroyed) waiting.length = 0
      }
    } catch {
      fail()
    } finally {
      running = false
    }
  }
  wire._onRequest = (index, offset, length) => {
    const torrent = info()
    // The library reads numbers from 2^31 on as negative ones.
    const inside =
      torrent !== undefined &&
      index >= 0 &&
      index < pieceCount(torrent) &&
      offset >= 0 &&
      length > 0 &&
      length <= maxRequestLength &&
      offset + length <= pieceSize(torrent, index)
    if (!inside || waiting.length >= maxWaitingRequests) return fail()
    waiting.push({ index, offset, length })
    if (!running) void run()
  }
  wire._onCancel = (index, offset, length) => {
    const at = waiting.findIndex((one) => one.index === index && one.offset === offset && one.length === length)
    if (at === -1) onCancel(index, offset, length)
    else waiting.splice(at, 1)
  }
  wire.choke = () => {
    choke()
    wake()
  }
}

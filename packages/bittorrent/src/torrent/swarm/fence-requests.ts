import type { Socket } from 'node:net'
import type Wire from 'bittorrent-protocol'
import { pieceCount, pieceSize, type TorrentInfo } from '../metainfo/info.ts'

const maxRequestLength = 131_072
/** The most requests that wait for their turn. They are only requests, not data. */
const maxWaitingRequests = 2_048
/** The most requests whose data is being read. */
const maxOpenRequests = 32

interface Request {
  readonly index: number
  readonly offset: number
  readonly length: number
}

export interface RequestFence {
  readonly wire: Wire
  readonly socket: Socket
  readonly fail: () => void
  readonly info: () => TorrentInfo | undefined
}

/** Answers requests in order, as fast as the other side reads. The library would read the data of all of them at once. */
export function fenceRequests({ wire, socket, fail, info }: RequestFence): void {
  const onRequest = wire._onRequest.bind(wire)
  const onCancel = wire._onCancel.bind(wire)
  const choke = wire.choke.bind(wire)
  const waiting: Request[] = []
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
    const request = { index, offset, length }
    if (!fits(info(), request) || waiting.length >= maxWaitingRequests) return fail()
    waiting.push(request)
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

/** The library reads numbers from 2^31 on as negative. */
function fits(torrent: TorrentInfo | undefined, { index, offset, length }: Request): boolean {
  return (
    torrent !== undefined &&
    index >= 0 &&
    index < pieceCount(torrent) &&
    offset >= 0 &&
    length > 0 &&
    length <= maxRequestLength &&
    offset + length <= pieceSize(torrent, index)
  )
}

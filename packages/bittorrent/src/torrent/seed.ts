import type { GuardedWire } from '../engine/wire.ts'
import { pieceCount, pieceSize, type TorrentInfo } from './info.ts'
import { Metadata } from './metadata.ts'

const maxRequestLength = 131_072
const maxWaitingRequests = 1_024
/** Pieces wait for the reader beyond this. */
const sendAhead = 1_048_576

export interface SeedInit {
  readonly info: TorrentInfo
  readonly peerId: Uint8Array
  readonly port: number
  /** Bytes of the file. */
  readonly read: (offset: number, length: number) => Promise<Uint8Array>
}

/** Serves a whole file on a wire that asked for its infohash, to any BitTorrent client. */
export function seedOn(guarded: GuardedWire, { info, peerId, port, read }: SeedInit): void {
  const { wire, socket, fail } = guarded
  const registered = new Metadata(wire, info.infoHash, info.bytes, port, () => {})
  void registered
  wire.handshake(info.infoHash, peerId)
  wire.bitfield(fullBitfield(pieceCount(info)))
  wire.on('interested', () => wire.unchoke())
  wire.on('uninterested', () => wire.choke())
  wire.on('request', (index: number, offset: number, length: number, respond: Respond) => {
    const inside =
      index >= 0 &&
      index < pieceCount(info) &&
      offset >= 0 &&
      length > 0 &&
      length <= maxRequestLength &&
      offset + length <= pieceSize(info, index)
    if (!inside || wire.peerRequests.length > maxWaitingRequests) return fail()
    void answer(index * info.pieceLength + offset, length, respond)
  })
  let turn: Promise<void> = Promise.resolve()
  const answer = async (offset: number, length: number, respond: Respond): Promise<void> => {
    try {
      // One after the other: what waits is requests, not data.
      const before = turn
      const { promise, resolve } = Promise.withResolvers<void>()
      turn = promise
      try {
        await before
        if (socket.destroyed) return
        const bytes = await read(offset, length)
        respond(null, bytes)
        if (socket.writableLength > sendAhead) await drained(guarded)
      } finally {
        resolve()
      }
    } catch {
      // A part is not stored here any more: whoever asked gets it elsewhere sooner when this wire is gone.
      fail()
    }
  }
}

type Respond = (error: Error | null, bytes?: Uint8Array) => void

function fullBitfield(count: number): Uint8Array {
  const bits = new Uint8Array(Math.ceil(count / 8)).fill(0xff)
  // Bits beyond the last piece must be zero: strict clients hang up.
  const rest = count % 8
  if (rest > 0) bits[bits.length - 1] = (0xff << (8 - rest)) & 0xff
  return bits
}

async function drained({ socket }: GuardedWire): Promise<void> {
  if (!socket.writableNeedDrain || socket.destroyed) return
  const { promise, resolve } = Promise.withResolvers<void>()
  const done = (): void => resolve()
  socket.once('drain', done)
  socket.once('close', done)
  await promise
  socket.off('drain', done)
  socket.off('close', done)
}

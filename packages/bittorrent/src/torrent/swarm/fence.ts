import type { Socket } from 'node:net'
import type Wire from 'bittorrent-protocol'
import { readUint32 } from '../../tools/bytes.ts'
import type { TorrentInfo } from '../metainfo/info.ts'
import { fenceRequests } from './fence-requests.ts'
import { metadataMembers, needMembers, wireMembers } from './members.ts'

/**
 * The longest message: a piece message of 128 KiB is not allowed, one of 16 KiB is usual, and a bitfield has at most 32
 * KiB.
 */
export const maxWireMessage = 131_072

export interface TorrentWire {
  readonly wire: Wire
  readonly socket: Socket
  /** The info of the torrent, once it is known. */
  readonly info: () => TorrentInfo | undefined
  /** Bytes arrived that hash to the infohash. Returns whether they are the info of a torrent that can be imported. */
  readonly accepts: (info: Uint8Array) => boolean
}

/**
 * Fences a wire that WebTorrent has just opened, before the first message after the handshake is read. Throws `ENGINE`
 * when that is not possible.
 */
export function fence({ wire, socket, info, accepts }: TorrentWire): void {
  needMembers(wire, wireMembers)
  needMembers(wire.ut_metadata, metadataMembers)
  const fail = (): void => {
    // The bytes left in its buffer are ignored.
    wire._parse(Number.MAX_VALUE, () => {})
    socket.destroy()
  }
  fenceMessages(wire, fail)
  fenceMetadata(wire, fail, accepts)
  fenceRequests({ wire, socket, fail, info })
}

/**
 * The library reads messages of any length, and lets the errors of its handlers reach the process. Here both only close
 * the connection.
 */
function fenceMessages(wire: Wire, fail: () => void): void {
  const onLength = wire._onMessageLength.bind(wire)
  wire._onMessageLength = (buffer) => {
    if (readUint32(buffer, 0) > maxWireMessage) fail()
    else onLength(buffer)
  }
  const onMessage = wire._onMessage.bind(wire)
  wire._onMessage = (buffer) => {
    try {
      onMessage(buffer)
    } catch {
      fail()
    }
  }
}

/**
 * `ut_metadata` parses every message as a dictionary, accepts metadata of any shape that has the right hash, and does
 * both in async functions that nobody awaits: their errors would end the process.
 */
function fenceMetadata(wire: Wire, fail: () => void, accepts: (info: Uint8Array) => boolean): void {
  const metadata = wire.ut_metadata
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

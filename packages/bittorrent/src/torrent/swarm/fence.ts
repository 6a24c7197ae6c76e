import type { Socket } from 'node:net'
import type Wire from 'bittorrent-protocol'
import { readUint32 } from '../../tools/bytes.ts'
import type { TorrentInfo } from '../metainfo/info.ts'
import { fenceRequests } from './fence-requests.ts'
import { metadataMembers, needMembers, wireMembers } from './members.ts'

/** The longest message: a piece of 128 KiB is not allowed, one of 16 KiB is usual, a bitfield has 32 KiB at most. */
export const maxWireMessage = 131_072

export interface TorrentWire {
  readonly wire: Wire
  readonly socket: Socket
  /** The torrent's, once it is known. */
  readonly info: () => TorrentInfo | undefined
  /** Bytes that hash to the infohash came. Whether they are the info of a torrent that can be taken in. */
  readonly accepts: (info: Uint8Array) => boolean
}

/**
 * Puts a fence around a wire that WebTorrent has just opened, before the first message after the handshake is read. Throws
 * `ENGINE` where that is not possible.
 */
export function fence({ wire, socket, info, accepts }: TorrentWire): void {
  needMembers(wire, wireMembers)
  needMembers(wire.ut_metadata, metadataMembers)
  const fail = (): void => {
    // The bytes that are left in its buffer are not looked at any more.
    wire._parse(Number.MAX_VALUE, () => {})
    socket.destroy()
  }
  fenceMessages(wire, fail)
  fenceMetadata(wire, fail, accepts)
  fenceRequests({ wire, socket, fail, info })
}

/** The library reads messages of any length, and lets the errors of its handlers reach the process: both end the connection here. */
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
 * `ut_metadata` reads every message as a dictionary, keeps metadata of any shape that has the right hash, and does both in
 * asynchronous functions that nobody waits for: their errors would end the process.
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

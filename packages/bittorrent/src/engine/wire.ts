import type { Socket } from 'node:net'
import Wire from 'bittorrent-protocol'
import { readUint32 } from '../bytes.ts'

/** Longest message before and besides the agreement on something longer: a piece of 16 KiB, a bitfield, a torrent's metadata. */
export const plainMessageLimit = 131_072
/** Who says nothing for so long is gone: everybody sends something every minute. */
export const idleLimit = 90_000

export interface GuardedWire {
  readonly wire: Wire
  readonly socket: Socket
  /** Longest message that is read, bytes. A longer one ends the connection. */
  limit: number
  /** Writes several parts with one system call. */
  write: (...parts: readonly Uint8Array[]) => void
  /** Ends the connection at once. */
  fail: () => void
}

/**
 * A BitTorrent wire on a socket. The library has no limit on the length of a message and lets whatever a handler throws reach
 * the process: both end the connection here.
 */
export function openWire(socket: Socket, type: 'tcpIncoming' | 'tcpOutgoing', closed: () => void): GuardedWire {
  const wire = new Wire(type)
  const guarded: GuardedWire = {
    wire,
    socket,
    limit: plainMessageLimit,
    write: (...parts) => {
      if (socket.destroyed || !socket.writable) return
      // What is sent in one turn of the event loop leaves together.
      if (socket.writableCorked === 0) {
        socket.cork()
        queueMicrotask(() => socket.uncork())
      }
      for (const part of parts) socket.write(part)
    },
    fail: () => {
      // What is left in the buffer is not looked at any more.
      wire._parse(Number.MAX_VALUE, () => {})
      socket.destroy()
    }
  }
  guard(wire, guarded.fail, () => guarded.limit)
  socket.setNoDelay(true)
  socket.setTimeout(idleLimit, () => socket.destroy())
  // The stream's own buffer would let messages pass each other, and grow without bound.
  wire.push = (bytes) => {
    if (bytes === null) socket.destroySoon()
    else guarded.write(bytes)
    return true
  }
  wire.on('error', () => socket.destroy())
  socket.on('error', () => socket.destroy())
  socket.on('data', (chunk) => {
    if (!wire.destroyed && socket.writable) wire.write(chunk)
  })
  socket.once('end', () => socket.destroySoon())
  socket.once('close', () => {
    wire.destroy()
    closed()
  })
  return guarded
}

/** Ends the connection where the library would read a message of any length, or throw into the event loop. */
export function guard(wire: Wire, fail: () => void, limit: () => number = () => plainMessageLimit): void {
  const onLength = wire._onMessageLength.bind(wire)
  wire._onMessageLength = (buffer) => {
    if (readUint32(buffer, 0) > limit()) fail()
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

import type { Socket } from 'node:net'
import { concatBytes, equalBytes } from '@p2pl/core/backend'
import { fromText } from '../../tools/bytes.ts'

/** `19`, the name, eight reserved bytes, the infohash, the peer id (BEP 3). */
const protocol = concatBytes(Uint8Array.of(19), fromText('BitTorrent protocol'))
const infoHashStart = 28
export const infoHashEnd = 48
export const handshakeLength = 68

export interface Handshake {
  /** 20 bytes. */
  readonly infoHash: Uint8Array
  /** 20 bytes, only claimed. */
  readonly peerId: Uint8Array
}

export function encodeHandshake({ infoHash, peerId }: Handshake): Uint8Array {
  return concatBytes(protocol, new Uint8Array(8), infoHash, peerId)
}

/**
 * Reads the first `length` bytes of a socket, at most a handshake, and calls `done` with them in the same turn. The
 * rest stays in the socket. Destroys the socket when its first bytes are not those of a handshake, or when it ends.
 */
export function readHead(socket: Socket, length: number, done: (head: Uint8Array) => void): void {
  let head: Uint8Array = new Uint8Array()
  const onReadable = (): void => {
    for (let part: Buffer | null; (part = socket.read() as Buffer | null) !== null;) head = concatBytes(head, part)
    const known = Math.min(head.byteLength, protocol.byteLength)
    if (!equalBytes(head.subarray(0, known), protocol.subarray(0, known))) return void socket.destroy()
    if (head.byteLength < length) return
    socket.off('readable', onReadable)
    socket.off('end', onEnd)
    if (head.byteLength > length) socket.unshift(head.subarray(length))
    done(head.slice(0, length))
  }
  const onEnd = (): void => void socket.destroy()
  socket.on('readable', onReadable)
  socket.once('end', onEnd)
}

export function infoHashOf(head: Uint8Array): Uint8Array {
  return head.slice(infoHashStart, infoHashEnd)
}

export function peerIdOf(head: Uint8Array): Uint8Array {
  return head.slice(infoHashEnd, handshakeLength)
}

import type { Members } from '../members.ts'
import { requireMembers } from '../members.ts'

/** The members of a yamux stream that this package uses beyond its published interface. */
export interface WindowedStream {
  readonly state: number
  /** The size of a full window in bytes, and how many bytes the peer may still send. */
  readonly recvWindow: number
  readonly recvWindowCapacity: number
  sendWindowUpdate(): void
}

export const streamMembers: Members = { sendWindowUpdate: 'function' }

/** The window is given back when this share of it is used up. */
const usedShare = 1 / 4
/** States in which the stream says in its next frame that it is new, or that it was accepted. */
const unsaid: ReadonlySet<number> = new Set([0, 2])

/**
 * Gives a stream's window back in pieces. The library answers each data frame with a frame that gives its bytes back:
 * that doubles the packets, and the frames to encrypt and to read on both sides. Go nodes wait until half of the window
 * is used up.
 */
export function widenInPieces(stream: WindowedStream): void {
  requireMembers('@libp2p/yamux', stream, streamMembers)
  const update = stream.sendWindowUpdate.bind(stream)
  stream.sendWindowUpdate = () => {
    const used = stream.recvWindow - stream.recvWindowCapacity
    if (unsaid.has(stream.state) || used >= stream.recvWindow * usedShare) update()
  }
}

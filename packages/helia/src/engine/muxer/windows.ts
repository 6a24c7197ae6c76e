import type { Members } from '../members.ts'
import { requireMembers } from '../members.ts'

/** What a stream of yamux has beyond its published interface, as far as it is used here. */
export interface WindowedStream {
  readonly state: number
  /** Bytes that the peer may send in a full window, and those that it may still send. */
  readonly recvWindow: number
  readonly recvWindowCapacity: number
  sendWindowUpdate(): void
}

export const streamMembers: Members = { sendWindowUpdate: 'function' }

/** The window is given back when this part of it is used up. */
const usedShare = 1 / 4
/** The stream says in its next frame that it is new, or that it was taken. */
const unsaid: ReadonlySet<number> = new Set([0, 2])

/**
 * Gives a stream's window back in pieces. The library answers each frame of data with a frame that gives its bytes back: as many
 * packets again, and as many frames to encrypt and to read on both sides. Go nodes wait until half of the window is used up.
 */
export function widenInPieces(stream: WindowedStream): void {
  requireMembers('@libp2p/yamux', stream, streamMembers)
  const update = stream.sendWindowUpdate.bind(stream)
  stream.sendWindowUpdate = () => {
    const used = stream.recvWindow - stream.recvWindowCapacity
    if (unsaid.has(stream.state) || used >= stream.recvWindow * usedShare) update()
  }
}

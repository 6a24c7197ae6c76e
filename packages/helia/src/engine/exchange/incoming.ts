import type { Connection, Stream } from '@libp2p/interface'
import { systemClock } from '@p2pl/core/backend'
import { Reader } from '../streams/reader.ts'
import { newBreather } from '../streams/breather.ts'
import { partsOf, type MessagePart } from './message.ts'

/** As in the specification of Bitswap: a block of 2 MiB, and the same amount again. */
const maxMessageBytes = 4 * 1024 * 1024
/**
 * A stream is ended when nothing has arrived on it for this long (ms). A message of 4 MiB takes 34 s at a megabit per
 * second.
 */
const silence = 60_000

/** A want costs as much time as this many bytes of a block. */
const bytesPerWant = 4_096

export type Deliver = (connection: Connection, part: MessagePart) => void

/**
 * Reads the messages of peers in place of the library. The library reads without flow control, decodes a message of
 * 100,000 wants in one go, and processes all of them before anything else gets a turn.
 */
export function incoming(deliver: Deliver): (stream: Stream, connection: Connection) => void {
  const breather = newBreather()
  return (stream, connection) => {
    let timer: unknown
    const expectMore = (): void => {
      systemClock.clearTimeout(timer)
      timer = systemClock.setTimeout(() => stream.abort(new Error('nothing came for too long')), silence)
    }
    const receive = async (frame: Uint8Array): Promise<void> => {
      expectMore()
      await breather.before(0)
      for (const part of partsOf(frame)) {
        await breather.before(part === undefined ? bytesPerWant : weightOf(part))
        if (part !== undefined) deliver(connection, part)
      }
    }
    expectMore()
    // Answers go out on a stream that this side opens.
    void stream.close().catch(() => {})
    void new Reader(stream, {
      maxFrameBytes: maxMessageBytes,
      frame: (bytes) => receive(bytes),
      skipped: () => stream.abort(new Error('a message is too long')),
      end: () => systemClock.clearTimeout(timer)
    })
  }
}

function weightOf({ blocks, wantlist }: MessagePart): number {
  return (blocks[0]?.data.byteLength ?? 0) + (wantlist?.entries.length ?? 0) * bytesPerWant
}

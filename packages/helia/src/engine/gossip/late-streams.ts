// The engine reads the peer store before it hands over a stream, of either side, and a disk may be slow.
import type { Connection, Libp2p, PeerId, Stream } from '@libp2p/interface'

/**
 * Finds a stream that the peer has opened but that the engine has not handed over yet.
 *
 * @param taken - The streams that the engine has handed over.
 */
export function waitingStream(
  libp2p: Libp2p,
  protocols: readonly string[],
  peer: PeerId,
  taken: WeakSet<Stream>
): Stream | undefined {
  return libp2p
    .getConnections(peer)
    .flatMap(({ streams }) => streams)
    .find(
      (stream) =>
        stream.direction === 'inbound' &&
        protocols.includes(stream.protocol) &&
        stream.status === 'open' &&
        !taken.has(stream)
    )
}

/** Opens a stream. Throws if its connection has ended meanwhile: it would take the place of one on the next connection. */
export async function liveStream(connection: Connection, args: Parameters<Connection['newStream']>): Promise<Stream> {
  const stream = await connection.newStream(...args)
  if (stream.status !== 'open') throw new Error('the connection has ended')
  return stream
}

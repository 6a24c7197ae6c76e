import type { Libp2p, PeerId, Stream } from '@libp2p/interface'

/**
 * Finds a stream that the peer has opened but that the engine has not handed over yet, because it reads the peer store first.
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

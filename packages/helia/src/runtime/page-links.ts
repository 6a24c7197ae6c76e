import type { Connection, Libp2pEvents, PeerId, TypedEventTarget } from '@libp2p/interface'

interface Components {
  readonly events: TypedEventTarget<Libp2pEvents>
  readonly connectionManager: { getConnections(peer: PeerId): Connection[] }
}

/** The members that a WebRTC connection has beyond the published interface. */
export interface OverWebRtc {
  readonly maConn?: { readonly peerConnection?: RTCPeerConnection }
}

/** A libp2p service that notices at once when a page has gone, and leaves nothing of its connections behind. */
export function pageLinks({ events, connectionManager }: Components): object {
  events.addEventListener('connection:open', ({ detail }) => {
    abortWhenClosed(detail)
  })
  events.addEventListener('connection:close', ({ detail }) => {
    if (detail.limits === undefined) closeSignalling(detail, connectionManager.getConnections(detail.remotePeer))
  })
  return {}
}

/**
 * The other side closes by DTLS. The engine watches the state of the whole connection, which this does not change. It
 * would notice at the next ping, up to ten seconds later, and nobody would dial until then.
 */
function abortWhenClosed(connection: Connection): void {
  const transport = (connection as OverWebRtc).maConn?.peerConnection?.sctp?.transport
  if (transport === undefined) return
  const check = (): void => {
    if (transport.state === 'closed' || transport.state === 'failed')
      connection.abort(new Error('the other side has closed the connection'))
  }
  transport.addEventListener('statechange', check)
  // The close may have arrived while the connection was still being made.
  check()
}

/**
 * Closes the relayed connection that signalled a closed WebRTC connection. It carries nothing, but the engine would
 * consider the peer connected.
 */
function closeSignalling(closed: Connection, left: readonly Connection[]): void {
  if (left.some(({ limits }) => limits === undefined)) return
  for (const connection of left)
    // A younger one belongs to the next signalling.
    if (connection.timeline.open <= closed.timeline.open) void connection.close().catch(() => {})
}

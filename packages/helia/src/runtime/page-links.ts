import type { Connection, Libp2pEvents, PeerId, TypedEventTarget } from '@libp2p/interface'

interface Components {
  readonly events: TypedEventTarget<Libp2pEvents>
  readonly connectionManager: { getConnections(peer: PeerId): Connection[] }
}

/** What the instance has beyond the published interface, where it is a WebRTC connection. */
export interface OverWebRtc {
  readonly maConn?: { readonly peerConnection?: RTCPeerConnection }
}

/** Notices at once that a page has gone, and lets nothing of its connections stay behind. A service of libp2p. */
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
 * The other side says good-bye by DTLS. The engine listens to the state of the whole connection, which does not change by
 * that; it would notice by the next ping, up to ten seconds later, and nobody would dial until then.
 */
function abortWhenClosed(connection: Connection): void {
  const transport = (connection as OverWebRtc).maConn?.peerConnection?.sctp?.transport
  if (transport === undefined) return
  const check = (): void => {
    if (transport.state === 'closed' || transport.state === 'failed')
      connection.abort(new Error('the other side has closed the connection'))
  }
  transport.addEventListener('statechange', check)
  // The good-bye may have come while the connection was still being made.
  check()
}

/**
 * What is left of the relayed connection that a WebRTC connection was agreed on through carries nothing, and the engine would
 * take the peer for connected.
 */
function closeSignalling(closed: Connection, left: readonly Connection[]): void {
  if (left.some(({ limits }) => limits === undefined)) return
  for (const connection of left)
    // A younger one is the beginning of the next agreement.
    if (connection.timeline.open <= closed.timeline.open) void connection.close().catch(() => {})
}

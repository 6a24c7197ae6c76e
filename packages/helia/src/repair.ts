import type { Connection, Libp2p, PeerId } from '@libp2p/interface'
import type { Gossip } from './gossip.ts'

/** Heartbeats for which a stream may be missing before it is opened again: the engine opens the first by itself. */
const patience = 2

/** What the instance has beyond the published interface. */
interface Repairable {
  onPeerConnected(peer: PeerId, connection: Connection): void
}

/**
 * Opens gossipsub's outbound streams again. The engine opens one when a peer connects and never another: a stream that was
 * reset, or that went down with one of two connections to the peer, leaves a link that looks healthy and carries no message.
 */
export function repairStreams(libp2p: Libp2p, gossip: Gossip): void {
  const missing = new Map<string, number>()
  gossip.addEventListener('gossipsub:heartbeat', () => {
    const open = new Map<string, Connection>()
    for (const connection of libp2p.getConnections())
      if (connection.status === 'open' && connection.limits === undefined)
        open.set(connection.remotePeer.toString(), connection)
    for (const id of missing.keys()) if (!open.has(id) || gossip.streamsOutbound.has(id)) missing.delete(id)
    for (const [id, connection] of open) {
      if (gossip.streamsOutbound.has(id)) continue
      const beats = (missing.get(id) ?? 0) + 1
      missing.set(id, beats)
      if (beats % patience === 0) void reopen(libp2p, gossip, connection)
    }
  })
}

async function reopen(libp2p: Libp2p, gossip: Gossip, connection: Connection): Promise<void> {
  try {
    const { protocols } = await libp2p.peerStore.get(connection.remotePeer)
    if (!protocols.some((protocol) => gossip.protocols.includes(protocol))) return
    const repairable = gossip as unknown as Repairable
    repairable.onPeerConnected(connection.remotePeer, connection)
  } catch {
    // The peer has gone, or the node is stopping.
  }
}

import type { Libp2p } from '@libp2p/interface'
import type { SelfInfo } from '@p2pl/core/backend'
import { dialable, parsePeerId } from '../peers.ts'

/** Dials all known addresses of the peer once. An open connection is enough. */
export async function dial(libp2p: Libp2p, { id, addresses }: SelfInfo, signal: AbortSignal): Promise<void> {
  const peer = parsePeerId(id)
  if (libp2p.getConnections(peer).some(({ status, limits }) => status === 'open' && limits === undefined)) return
  const multiaddrs = dialable(id, addresses)
  // They are added to those in the peer store, because a peer that came back may have told others its new addresses.
  if (multiaddrs.length > 0) await libp2p.peerStore.merge(peer, { multiaddrs })
  try {
    await libp2p.dial(peer, { signal })
  } catch (error) {
    if (signal.aborted || multiaddrs.length === 0) throw error
    // The dial may have joined one that was already running to old addresses of the peer.
    await libp2p.dial(multiaddrs, { signal })
  }
}

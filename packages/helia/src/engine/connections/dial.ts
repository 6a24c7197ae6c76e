import type { Libp2p } from '@libp2p/interface'
import type { SelfInfo } from '@p2pl/core/backend'
import { dialable, parsePeerId } from '../peers.ts'

/** One dial to all known addresses of the peer. An open connection is enough. */
export async function dial(libp2p: Libp2p, { id, addresses }: SelfInfo, signal: AbortSignal): Promise<void> {
  const peer = parsePeerId(id)
  if (libp2p.getConnections(peer).some(({ status, limits }) => status === 'open' && limits === undefined)) return
  const multiaddrs = dialable(id, addresses)
  // They join those in the peer store: a peer that came back may have told its new ones to others.
  if (multiaddrs.length > 0) await libp2p.peerStore.merge(peer, { multiaddrs })
  try {
    await libp2p.dial(peer, { signal })
  } catch (error) {
    if (signal.aborted || multiaddrs.length === 0) throw error
    // The dial may have joined one that was under way to addresses of a former life.
    await libp2p.dial(multiaddrs, { signal })
  }
}

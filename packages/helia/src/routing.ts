import { isP2plError, P2plError, type PeerInfo, type RoutingHooks } from '@p2pl/core/backend'
import { dial } from './engine/connections/dial.ts'
import type { Gater } from './engine/connections/gater.ts'
import { findProviders, hasTable, provide } from './engine/dht/queries.ts'
import type { Engine } from './engine/engine.ts'
import { addressTexts, dialable, network, parsePeerId, peerInfo, peerOfAddress } from './engine/peers.ts'

/** A connection that does not close cleanly within this time (ms) is aborted. */
const closeTimeout = 1_000

export interface RoutingParts {
  readonly engine: Engine
  readonly gater: Gater
  readonly bootstrap: readonly PeerInfo[]
}

/** Provider records through kad-dht, connections through libp2p. */
export function routingHooks(parts: RoutingParts): RoutingHooks {
  const { libp2p, dht } = parts.engine
  const records: RoutingHooks =
    dht === undefined
      ? {}
      : {
          provide: async (cid, { signal }) => await provide(libp2p, dht, cid, signal),
          unprovide: async (cid, { signal }) => await dht.cancelReprovide(cid, { signal }),
          findProviders: (cid, { signal }) => findProviders(libp2p, dht, cid, signal)
        }
  return {
    ...records,
    findPeer: async (id, { signal }) => await findPeer(parts.engine, id, signal),
    connect: async (peer, { signal }) => await connect(parts, peer, signal),
    disconnect: async (id, { signal }) => {
      const peer = parsePeerId(id)
      parts.gater.withdraw(id)
      // Without a time limit, the engine waits for ever for the end of a connection that has just ended. With one, it
      // aborts the connection.
      await libp2p.hangUp(peer, { signal: AbortSignal.any([signal, AbortSignal.timeout(closeTimeout)]) })
    },
    connections: async () => {
      const open = libp2p.getConnections().filter(({ status, limits }) => status === 'open' && limits === undefined)
      const ids = new Set(open.map(({ remotePeer }) => remotePeer.toString()))
      return await Promise.all([...ids].map((id) => peerInfo(libp2p, id)))
    },
    parseAddress: peerOfAddress,
    bootstrap: parts.bootstrap
  }
}

async function findPeer({ libp2p, dht }: Engine, id: string, signal: AbortSignal): Promise<PeerInfo> {
  const peerId = parsePeerId(id)
  const known = await peerInfo(libp2p, id)
  if (known.addresses.length > 0) return known
  if (dht !== undefined && (await hasTable(libp2p, dht, signal))) {
    for await (const event of dht.findPeer(peerId, { signal }))
      if (event.name === 'FINAL_PEER' && event.peer.id.equals(peerId))
        return { network, id, addresses: addressTexts(event.peer.multiaddrs) }
  }
  throw new P2plError({ code: 'NOT_FOUND', message: `no peer that can be asked knows the peer ${id}` })
}

async function connect({ engine, gater }: RoutingParts, peer: PeerInfo, signal: AbortSignal): Promise<void> {
  const { id, addresses } = peer
  parsePeerId(id)
  const own = dialable(id, addresses).map(String)
  if (own.length === 0 && addresses.length > 0) {
    const message = `none of the addresses of ${id} is a multiaddr of that peer, such as /ip4/127.0.0.1/tcp/4001/p2p/${id}`
    throw new P2plError({ code: 'INVALID_ARGUMENT', message })
  }
  gater.name(id)
  try {
    await dial(engine.libp2p, { id, addresses: own }, signal)
  } catch (cause) {
    if (signal.aborted || isP2plError(cause)) throw cause
    const why = engine.judge.isShutOut(id) ? 'it is shut out for a while, because it flooded topics' : String(cause)
    const message = `${id} does not answer at ${own.join(', ') || 'any known address'}: ${why}`
    throw new P2plError({ code: 'UNREACHABLE', cause, message })
  }
}

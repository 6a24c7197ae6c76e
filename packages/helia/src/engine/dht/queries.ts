import type { Libp2p, PeerId } from '@libp2p/interface'
import type { SingleKadDHT } from '@libp2p/kad-dht'
import { P2plError, type PeerInfo } from '@p2pl/core/backend'
import type { CID } from 'multiformats/cid'
import { addressTexts, network, peerInfo } from '../peers.ts'
import { withinTicks } from '../streams/ticks.ts'
import type { DhtInternals } from './requests.ts'

/**
 * How long to wait for a newly connected peer (in ticks of 100 ms): before it joins the routing table, the engine asks
 * for its protocols and pings it.
 */
const tablePatience = 30

/**
 * Puts out one record. Throws a retryable `NO_PEERS` when no peer takes it, and `UNREACHABLE` when the record would be
 * useless to others.
 */
export async function provide(libp2p: Libp2p, dht: SingleKadDHT, cid: CID, signal: AbortSignal): Promise<void> {
  if (libp2p.getMultiaddrs().length === 0) {
    const message =
      'this node has no address under which others reach it: a page gets one from a relay, soon after it connects'
    throw new P2plError({ code: 'UNREACHABLE', message })
  }
  // Without peers, the engine waits for ever.
  if (!(await hasTable(libp2p, dht, signal))) throw nobody()
  let accepted = 0
  for await (const event of dht.provide(cid, { signal }))
    if (event.name === 'PEER_RESPONSE' && event.messageName === 'ADD_PROVIDER') accepted++
  if (accepted > 0) return
  await dht.cancelReprovide(cid)
  throw nobody()
}

/**
 * Yields remote providers, some perhaps twice. The engine itself lists this node too, and waits for ever when it knows
 * no peers.
 */
export async function* findProviders(
  libp2p: Libp2p,
  dht: SingleKadDHT,
  cid: CID,
  signal: AbortSignal
): AsyncGenerator<PeerInfo, void, undefined> {
  if (!(await hasTable(libp2p, dht, signal))) return
  for await (const event of dht.findProviders(cid, { signal })) {
    if (event.name !== 'PROVIDER') continue
    for (const { id, multiaddrs } of event.providers) {
      if (id.equals(libp2p.peerId)) continue
      // A record may come without addresses even if the peer store has some.
      yield multiaddrs.length > 0
        ? { network, id: id.toString(), addresses: addressTexts(multiaddrs) }
        : await peerInfo(libp2p, id.toString())
    }
  }
  // The engine ends an aborted search silently.
  signal.throwIfAborted()
}

/** Whether there is any peer to ask. */
export async function hasTable(libp2p: Libp2p, dht: SingleKadDHT, signal: AbortSignal): Promise<boolean> {
  // The table emits events, which its type does not say.
  const table = dht.routingTable as SingleKadDHT['routingTable'] & EventTarget
  if (table.size > 0) return true
  if (libp2p.getConnections().length === 0) return false
  const { promise, resolve } = Promise.withResolvers<void>()
  const onAdd = (): void => resolve()
  table.addEventListener('peer:add', onAdd)
  signal.addEventListener('abort', onAdd, { once: true })
  for (const peer of libp2p.getPeers()) void enter(libp2p, dht, peer)
  try {
    await withinTicks(tablePatience, promise)
  } finally {
    table.removeEventListener('peer:add', onAdd)
    signal.removeEventListener('abort', onAdd)
  }
  signal.throwIfAborted()
  return table.size > 0
}

/** The engine pings a peer when it connects. A peer that was too busy at that moment would stay out of the table. */
async function enter(libp2p: Libp2p, dht: SingleKadDHT, peer: PeerId): Promise<void> {
  const { routingTable, protocol } = dht as unknown as DhtInternals
  try {
    const { protocols } = await libp2p.peerStore.get(peer)
    if (protocols.includes(protocol)) await routingTable.add(peer)
  } catch {
    // The peer has left, or this node is stopping.
  }
}

function nobody(): P2plError {
  const message = 'no connected peer keeps provider records: connect to one, then try again'
  return new P2plError({ code: 'NO_PEERS', message })
}

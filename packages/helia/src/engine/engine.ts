import type { Libp2p, PeerId } from '@libp2p/interface'
import { peerIdFromString } from '@libp2p/peer-id'
import type { SingleKadDHT } from '@libp2p/kad-dht'
import { type EngineEvent, P2plError } from '@p2pl/core/backend'
import type { Settings } from '../options/settings.ts'
import { Discovery } from './connections/discovery.ts'
import { bulkProtocol } from './bulk/frames.ts'
import type { Gater } from './connections/gater.ts'
import { Pruner, Worth } from './connections/pruner.ts'
import { Exchange } from './exchange/exchange.ts'
import { requireGossip, type Gossip } from './gossip/engine.ts'
import { Judge } from './gossip/judge.ts'
import type { StreamEvents, Streams } from './gossip/streams.ts'
import { tendGossip } from './gossip/tend.ts'
import { createNode } from './node.ts'
import { type MemoryKey, privateKey } from './private-key.ts'
import { openStores, type Stores } from './stores.ts'

/** The running node. It lives from one `start` to the next `stop`. */
export interface Engine {
  readonly libp2p: Libp2p
  readonly gossip: Gossip
  readonly streams: Streams
  readonly judge: Judge
  readonly dht: SingleKadDHT | undefined
  readonly exchange: Exchange
  readonly stores: Stores
  stop(): Promise<void>
}

/** Receives events of the streams that carry topic messages. */
export interface TopicEvents extends StreamEvents {
  /** Whether messages of a joined topic arrive through this peer. */
  isSource(id: string): boolean
}

export interface EngineParts {
  readonly settings: Settings
  readonly gater: Gater
  readonly memoryKey: MemoryKey
  readonly topics: TopicEvents
  readonly report: (event: EngineEvent) => void
  readonly signal: AbortSignal
}

/** Opens the stores and starts the node. A failure or an abort leaves nothing open. */
export async function startEngine(parts: EngineParts): Promise<Engine> {
  const { settings, gater, report, signal } = parts
  const stores = await openStores(settings, report)
  let libp2p: Libp2p | undefined
  try {
    signal.throwIfAborted()
    const judge = new Judge((id, sentence) => shutOut(libp2p, id, sentence, report))
    const key = await privateKey(settings, stores, parts.memoryKey)
    libp2p = await createNode({ settings, gater, stores, key, judge })
    const services = libp2p.services as { gossip: unknown; dht?: SingleKadDHT }
    const gossip = requireGossip(services.gossip)
    const streams = tendGossip(libp2p, gossip, judge, parts.topics)
    const exchange = new Exchange(libp2p, stores.blocks, {
      listen: settings.listen,
      isPrivate: settings.psk !== undefined,
      allowsDial: (address) => gater.allowsDial(address)
    })
    // Starts before the node: while the node starts, it dials the peers that its folder remembers, and tells each
    // topology of them once.
    await exchange.start()
    for (const type of ['peer:connect', 'peer:disconnect'] as const)
      libp2p.addEventListener(type, ({ detail }) => report({ type, id: detail.toString() }))
    signal.throwIfAborted()
    await libp2p.start()
    prune(libp2p, gossip, streams, parts)
    // In a closed network a person decides on every connection, unless discovery was requested.
    const discovers = settings.profile !== 'closed' || settings.mdns !== undefined
    const discovery = discovers ? new Discovery(libp2p, settings.connections.low) : undefined
    const stop = async (): Promise<void> => {
      discovery?.stop()
      // Each part is released even if an earlier one fails.
      await Promise.allSettled([exchange.stop()])
      await Promise.allSettled([libp2p?.stop()])
      await stores.close()
    }
    return { libp2p, gossip, streams, judge, dht: services.dht, exchange, stores, stop }
  } catch (error) {
    await Promise.allSettled([libp2p?.stop()])
    await stores.close()
    throw startError(settings, error)
  }
}

function shutOut(libp2p: Libp2p | undefined, id: string, ms: number, report: (event: EngineEvent) => void): void {
  const connections = libp2p?.getConnections(peerIdFromString(id)) ?? []
  if (connections.length === 0) return
  const message = `the peer ${id} is shut out for ${ms / 1_000} s: it floods topics with messages that no node may publish`
  report({ type: 'warning', message })
  for (const connection of connections) connection.abort(new Error('this peer is shut out'))
}

function prune(libp2p: Libp2p, gossip: Gossip, streams: Streams, { settings, gater, topics }: EngineParts): void {
  const { relay } = libp2p.services as { relay?: { reservations: { has(peer: PeerId): boolean } } }
  void new Pruner(libp2p, {
    high: settings.connections.high,
    heardAt: (id) => streams.heardAt(id),
    worth: ({ remotePeer, streams: open }) => {
      const id = remotePeer.toString()
      if (gater.isNamed(id)) return Worth.named
      if ([...gossip.mesh.values()].some((peers) => peers.has(id))) return Worth.mesh
      if (topics.isSource(id) || relay?.reservations.has(remotePeer) === true) return Worth.topic
      return open.some(({ protocol }) => protocol === bulkProtocol || protocol.startsWith('/ipfs/bitswap'))
        ? Worth.busy
        : Worth.none
    }
  })
}

function startError({ listen }: Settings, error: unknown): unknown {
  if (!(error instanceof Error) || error.name !== 'UnsupportedListenAddressesError') return error
  const message = `cannot listen on ${listen.join(', ')}: a port is taken by another process, or an address is not of this machine (port 0 takes any free port)`
  return new P2plError({ code: 'LOCKED', cause: error, message })
}

import type { Libp2p, PeerId, PrivateKey } from '@libp2p/interface'
import { peerIdFromString } from '@libp2p/peer-id'
import type { BackendEvent } from '@p2pl/core/backend'
import type { SingleKadDHT } from '@libp2p/kad-dht'
import type { Libp2pOptions } from 'libp2p'
import { loadParts } from '#runtime/parts'
import { backendName, classify, failure } from './errors.ts'
import { Exchange } from './exchange/index.ts'
import type { Gater } from './connections/gater.ts'
import { Handshakes } from './connections/handshakes.ts'
import { Pruner, Worth } from './connections/pruner.ts'
import { requireGossip, type Gossip } from './gossip/engine.ts'
import { Judge } from './gossip/judge.ts'
import { gossipOptions } from './gossip/options.ts'
import type { StreamEvents, Streams } from './gossip/streams.ts'
import { tendGossip } from './gossip/tend.ts'
import type { Settings } from './options.ts'
import { type MemoryKey, privateKey } from './private-key.ts'
import { openStores, type Stores } from './stores.ts'

/** The maker of a service of libp2p. */
type Service = NonNullable<Libp2pOptions['services']>[string]

/** Incoming connections whose handshake is under way. */
const maxHandshakes = 256
/** Places that are free while a connection that had to go is being closed. */
const headroom = 64

/** The running node. Lives from one `start` to the next `stop`. */
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

/** Who is told what happens in the engine. */
export interface EngineEvents {
  readonly streams: StreamEvents
  /** Whether messages of a subscribed topic come by this peer. */
  isSource(id: string): boolean
  report(event: BackendEvent): void
}

/** Opens the stores and starts the node. A failure leaves nothing open. */
export async function startEngine(
  settings: Settings,
  gater: Gater,
  memoryKey: MemoryKey,
  events: EngineEvents
): Promise<Engine> {
  const stores = await openStores(settings)
  let libp2p: Libp2p | undefined
  try {
    const judge: Judge = new Judge((id, sentence) => {
      const connections = libp2p?.getConnections(peerIdFromString(id)) ?? []
      if (connections.length === 0) return
      events.report({ type: 'warning', backend: backendName, message: shutOutMessage(id, sentence) })
      for (const connection of connections) connection.abort(new Error('this peer is shut out'))
    })
    libp2p = await createNode(settings, gater, stores, await privateKey(settings, stores, memoryKey), judge)
    const services = libp2p.services as { gossip: unknown; dht?: unknown }
    const gossip = requireGossip(services.gossip)
    const streams = tendGossip(libp2p, gossip, judge, events.streams)
    const exchange = new Exchange(libp2p, stores.blocks)
    // Before the node: it dials the peers that its folder remembers while it starts, and tells each topology of them once.
    await exchange.start()
    await libp2p.start()
    prune(libp2p, settings, gater, gossip, streams, events)
    const stop = async (): Promise<void> => {
      // Each part is released whatever the ones before it say.
      await Promise.allSettled([exchange.stop()])
      await Promise.allSettled([libp2p?.stop()])
      await stores.close()
    }
    return { libp2p, gossip, streams, judge, dht: services.dht as SingleKadDHT | undefined, exchange, stores, stop }
  } catch (error) {
    await libp2p?.stop()
    await stores.close()
    throw startError(settings, error)
  }
}

function prune(
  libp2p: Libp2p,
  { connections }: Settings,
  gater: Gater,
  gossip: Gossip,
  streams: Streams,
  events: EngineEvents
): void {
  const { relay } = libp2p.services as { relay?: { reservations: { has(peer: PeerId): boolean } } }
  void new Pruner(libp2p, {
    high: connections.high,
    heardAt: (id) => streams.heardAt(id),
    worth: ({ remotePeer, streams: open }) => {
      const id = remotePeer.toString()
      if (gater.isGiven(id)) return Worth.named
      if ([...gossip.mesh.values()].some((peers) => peers.has(id))) return Worth.mesh
      if (events.isSource(id) || relay?.reservations.has(remotePeer) === true) return Worth.topic
      return open.some(({ protocol }) => protocol.startsWith('/ipfs/bitswap')) ? Worth.busy : Worth.none
    }
  })
}

function shutOutMessage(id: string, ms: number): string {
  return `the peer ${id} is shut out for ${ms / 1_000} s: it floods topics with what no node may publish`
}

async function createNode(
  settings: Settings,
  gater: Gater,
  stores: Stores,
  key: PrivateKey,
  judge: Judge
): Promise<Libp2p> {
  const { profile, connections } = settings
  const handshakes = new Handshakes(maxHandshakes)
  const [
    { createLibp2p },
    { noise },
    { yamux },
    { identify, identifyPush },
    { ping },
    { gossipsub },
    dht,
    { announceFilter, services, ...parts }
  ] = await Promise.all([
    import('libp2p'),
    import('@libp2p/noise'),
    import('@libp2p/yamux'),
    import('@libp2p/identify'),
    import('@libp2p/ping'),
    import('@libp2p/gossipsub'),
    loadDht(settings),
    loadParts(settings)
  ])
  return await createLibp2p({
    start: false,
    privateKey: key,
    datastore: stores.data,
    nodeInfo: { name: 'p2pl' },
    addresses: {
      listen: settings.listen.map(String),
      ...(announceFilter === undefined ? {} : { announceFilter }),
      ...(settings.announce.length > 0 ? { appendAnnounce: settings.announce.map(String) } : {})
    },
    ...parts,
    connectionEncrypters: [noise()],
    // A stream whose reader is slow is aborted when more than 4 MiB wait on it: nobody may be allowed to send more.
    streamMuxers: [yamux({ streamOptions: { maxStreamWindowSize: 4 << 20 }, ...settings.passthrough.yamux })],
    connectionGater: {
      denyDialMultiaddr: (address) => !gater.allowsDial(address),
      denyInboundConnection: (connection) => {
        if (!gater.allowsInbound(connection.remoteAddr)) return true
        handshakes.begin(connection)
        return false
      },
      denyDialPeer: (peer) => judge.isShutOut(peer.toString()),
      denyInboundEncryptedConnection: (peer) => judge.isShutOut(peer.toString()),
      denyInboundUpgradedConnection: (_, connection) => {
        handshakes.end(connection)
        return false
      }
    },
    // A connection that went half-open is noticed within about eight seconds.
    connectionMonitor: { pingInterval: 3_000, pingTimeout: { minTimeout: 5_000, maxTimeout: 10_000 } },
    connectionManager: {
      // The engine refuses newcomers at its limits: below them, `Pruner` and `Handshakes` make room.
      maxConnections: connections.high + headroom,
      maxIncomingPendingConnections: maxHandshakes + headroom,
      // The default, 5 new connections a second from one address, refuses a small network that starts together on one machine
      // or behind one router.
      ...(profile === 'public' ? {} : { inboundConnectionThreshold: 1_000 }),
      ...settings.passthrough.connectionManager
    },
    services: {
      identify: identify(),
      identifyPush: identifyPush(),
      ping: ping(),
      gossip: gossipsub(gossipOptions(settings, judge)),
      ...(dht === undefined ? {} : { dht }),
      ...services
    }
  })
}

async function loadDht(settings: Settings): Promise<Service | undefined> {
  if (settings.dht === false) return undefined
  const { kadDHT, passthroughMapper, removePrivateAddressesMapper } = await import('@libp2p/kad-dht')
  const isPublic = settings.profile === 'public'
  return kadDHT({
    // The names by which Kubo's two DHTs are found.
    protocol: isPublic ? '/ipfs/kad/1.0.0' : '/ipfs/lan/kad/1.0.0',
    // In public the engine turns a client into a server by itself once it is known to be reachable.
    ...(isPublic && settings.dht === 'server' ? {} : { clientMode: settings.dht === 'client' }),
    // The default mapper drops loopback and private addresses, and with them every record of such a network.
    peerInfoMapper: isPublic ? removePrivateAddressesMapper : passthroughMapper,
    initialQuerySelfInterval: isPublic ? 1_000 : 50,
    ...settings.passthrough.dht
  }) as unknown as Service
}

function startError(settings: Settings, error: unknown): Error {
  if (error instanceof Error && error.name === 'UnsupportedListenAddressesError') {
    return failure({
      code: 'LOCKED',
      operation: 'start',
      cause: error,
      message: `cannot listen on ${settings.listen.join(', ')}: a port is taken by another process, or an address is not of this machine (port 0 takes any free port)`
    })
  }
  return classify('start', error)
}

import type { Libp2p, PrivateKey } from '@libp2p/interface'
import type { Libp2pOptions } from 'libp2p'
import { loadParts } from '#runtime/parts'
import type { Settings } from '../options/settings.ts'
import type { Gater } from './connections/gater.ts'
import { Handshakes } from './connections/handshakes.ts'
import { writeWhole } from './connections/whole-writes.ts'
import { BoundedRecords } from './dht/records.ts'
import { boundRequests } from './dht/requests.ts'
import type { Judge } from './gossip/judge.ts'
import { gossipOptions } from './gossip/options.ts'
import { KnownPeers } from './known-peers.ts'
import type { Stores } from './stores.ts'

/** The factory of a libp2p service. */
type Service = NonNullable<Libp2pOptions['services']>[string]

/** The most incoming connections whose handshake is in progress. */
const maxHandshakes = 256
/** How many provider records of others a DHT server keeps: about 20 MB, on disk and in memory. */
const maxRecords = 65_536
/** How many peers are remembered with their addresses: usually a few megabytes. */
const maxKnownPeers = 8_192
/** Extra places while connections that had to make room are being closed. */
const headroom = 64

export interface NodeParts {
  readonly settings: Settings
  readonly gater: Gater
  readonly stores: Stores
  readonly key: PrivateKey
  readonly judge: Judge
}

/** Creates the libp2p node, without starting it. */
export async function createNode({ settings, gater, stores, key, judge }: NodeParts): Promise<Libp2p> {
  const { profile, connections } = settings
  const handshakes = new Handshakes(maxHandshakes)
  const [
    { createLibp2p },
    { noise },
    { muxing },
    { identify, identifyPush },
    { ping },
    { gossipsub },
    dht,
    { announceFilter, services, ...parts }
  ] = await Promise.all([
    import('libp2p'),
    import('@libp2p/noise'),
    import('./muxer/muxing.ts'),
    import('@libp2p/identify'),
    import('@libp2p/ping'),
    import('@libp2p/gossipsub'),
    loadDht(settings),
    loadParts(settings)
  ])
  let node: Libp2p | undefined
  const connected = (): Set<string> => new Set(node?.getPeers().map((peer) => peer.toCID().toString()))
  node = await createLibp2p({
    start: false,
    privateKey: key,
    datastore: new KnownPeers(stores.data, maxKnownPeers, connected),
    nodeInfo: { name: 'p2pl' },
    addresses: {
      listen: settings.listen.map(String),
      ...(announceFilter === undefined ? {} : { announceFilter }),
      ...(settings.announce.length > 0 ? { appendAnnounce: settings.announce.map(String) } : {})
    },
    ...parts,
    connectionEncrypters: [noise()],
    // A stream with a slow reader is aborted when more than 4 MiB wait on it, so no peer may be allowed to send more.
    streamMuxers: [muxing({ streamOptions: { maxStreamWindowSize: 4 << 20 }, ...settings.passthrough.yamux })],
    connectionGater: {
      denyDialMultiaddr: (address) => !gater.allowsDial(address),
      denyInboundConnection: (connection) => {
        if (!gater.allowsInbound(connection.remoteAddr)) return true
        handshakes.begin(connection)
        writeWhole(connection)
        return false
      },
      denyOutboundConnection: (_, connection) => {
        writeWhole(connection)
        return false
      },
      denyDialPeer: (peer) => judge.isShutOut(peer.toString()),
      denyInboundEncryptedConnection: (peer) => judge.isShutOut(peer.toString()),
      denyInboundUpgradedConnection: (_, connection) => {
        handshakes.end(connection)
        return false
      }
    },
    connectionManager: {
      // The engine refuses newcomers at its limits. Below them, `Pruner` and `Handshakes` make room.
      maxConnections: connections.high + headroom,
      maxIncomingPendingConnections: maxHandshakes + headroom,
      // The default of 5 new connections a second from one address refuses a small network that starts on one machine
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
  return node
}

async function loadDht(settings: Settings): Promise<Service | undefined> {
  if (settings.dht === false) return undefined
  const { kadDHT, passthroughMapper, removePrivateAddressesMapper } = await import('@libp2p/kad-dht')
  const isPublic = settings.profile === 'public'
  const make = kadDHT({
    // The protocol names of Kubo's two DHTs.
    protocol: isPublic ? '/ipfs/kad/1.0.0' : '/ipfs/lan/kad/1.0.0',
    // In public the engine itself turns a client into a server once it is known to be reachable.
    ...(isPublic && settings.dht === 'server' ? {} : { clientMode: settings.dht === 'client' }),
    // The default mapper drops loopback and private addresses, and with them all records of such a network.
    peerInfoMapper: isPublic ? removePrivateAddressesMapper : passthroughMapper,
    initialQuerySelfInterval: isPublic ? 1_000 : 50,
    // Peer ids contain the public keys, and this node looks up no other values.
    validators: { pk: () => Promise.reject(new Error('this node keeps no values')) },
    ...settings.passthrough.dht
  })
  return ((components: Parameters<typeof make>[0]) => {
    const datastore = new BoundedRecords(components.datastore, components.peerId.toString(), maxRecords)
    const dht = make(Object.create(components, { datastore: { value: datastore } }) as typeof components)
    boundRequests(dht, components.peerStore)
    return dht
  }) as unknown as Service
}

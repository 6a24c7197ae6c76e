import type { Connection, PeerId, PeerStore, Stream } from '@libp2p/interface'
import { equalBytes } from '@p2pl/core/backend'
import { requireMembers, type Members } from '../members.ts'
import { Frames } from '../streams/frames.ts'
import { newBreather } from '../streams/breather.ts'

/** A request has a few hundred bytes; an answer names twenty peers, and providers. */
const maxRequestBytes = 64 * 1024
const maxResponseBytes = 512 * 1024
/**
 * How many peers of an answer are processed, and how many addresses of each. The second number also limits the
 * addresses that are remembered for a peer.
 */
const maxPeers = 256
const maxAddresses = 32
/** A request takes as much time as this many bytes of a message. */
const bytesPerRequest = 48 * 1024

interface DhtPeer {
  readonly id: Uint8Array
  readonly multiaddrs: readonly Uint8Array[]
}

interface DhtMessage {
  readonly providers: readonly DhtPeer[]
  readonly closer: readonly DhtPeer[]
}

interface Rpc {
  onIncomingStream(stream: Stream, connection: Connection): Promise<void>
  handleMessage(peer: PeerId, message: DhtMessage): Promise<unknown>
}

/** The members of the DHT that this package uses beyond its published interface. */
export interface DhtInternals {
  readonly rpc: Rpc
  readonly network: { _writeReadMessage(stream: Stream, ...rest: unknown[]): Promise<DhtMessage> }
  readonly routingTable: { add(peer: PeerId): Promise<void> }
  readonly protocol: string
}

export const dhtMembers: Members = {
  'rpc.onIncomingStream': 'function',
  'rpc.handleMessage': 'function',
  'network._writeReadMessage': 'function',
  'routingTable.add': 'function',
  protocol: 'string'
}

/**
 * Limits what others send to the DHT. The engine accepts messages of 4 MiB with half a million addresses, and processes
 * all that has arrived before anything else gets a turn. Call this before the DHT starts.
 */
export function boundRequests(dht: unknown, peers: PeerStore): void {
  requireMembers('@libp2p/kad-dht', dht, dhtMembers)
  const { rpc, network } = dht as DhtInternals
  const breather = newBreather()
  const { prototype } = rpc.constructor as { readonly prototype: Rpc }
  const handle = rpc.handleMessage.bind(rpc)
  const exchange = network._writeReadMessage.bind(network)
  rpc.onIncomingStream = async (stream, connection) => {
    watch(stream, maxRequestBytes)
    const handleMessage: Rpc['handleMessage'] = async (peer, message) => {
      await breather.before(bytesPerRequest)
      return await handle(peer, await ownRecord(peers, peer, message))
    }
    const own = Object.create(rpc, { handleMessage: { value: handleMessage } }) as Rpc
    await prototype.onIncomingStream.call(own, stream, connection)
  }
  network._writeReadMessage = async (stream, ...rest) => {
    watch(stream, maxResponseBytes)
    const message = await exchange(stream, ...rest)
    return { ...message, closer: bounded(message.closer), providers: bounded(message.providers) }
  }
}

/** Ends a stream whose message is too long before all of it has arrived. */
function watch(stream: Stream, maxBytes: number): void {
  const frames = new Frames(maxBytes)
  stream.addEventListener('message', ({ data }) => {
    frames.push(data instanceof Uint8Array ? data : data.subarray())
    try {
      while (frames.next() !== undefined);
      if (frames.takeSkipped() > 0) throw new Error('a message is too long')
    } catch (error) {
      stream.abort(error instanceof Error ? error : new Error(String(error)))
    }
  })
}

function bounded(peers: readonly DhtPeer[]): DhtPeer[] {
  return peers.slice(0, maxPeers).map(({ id, multiaddrs }) => ({ id, multiaddrs: multiaddrs.slice(0, maxAddresses) }))
}

/** Lets a peer add only its own record, with a limited number of addresses. */
async function ownRecord(peers: PeerStore, peer: PeerId, message: DhtMessage): Promise<DhtMessage> {
  const id = peer.toMultihash().bytes
  const own = message.providers.find((provider) => equalBytes(provider.id, id))
  if (own === undefined) return { ...message, closer: [], providers: [] }
  const { addresses } = await peers.get(peer).catch(() => ({ addresses: [] }))
  const [known] = addresses
  const room = maxAddresses - addresses.length
  const multiaddrs = room <= 0 && known !== undefined ? [known.multiaddr.bytes] : own.multiaddrs.slice(0, room)
  return { ...message, closer: [], providers: [{ id, multiaddrs }] }
}

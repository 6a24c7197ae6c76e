import type { PeerInfo, RoutingHooks } from '@p2pl/core/backend'
import { codecs } from '@p2pl/core/content'
import type { ProfileGate } from '@p2pl/embedded'
import type { CID } from 'multiformats/cid'
import type { Provided } from './engine/provided.ts'
import type { Queries } from './overlay/exchange/queries.ts'
import { contentKey, peerKey } from './overlay/keys.ts'
import type { Dialler } from './overlay/links/dialler.ts'
import type { Link } from './overlay/links/link.ts'
import type { Links } from './overlay/links/links.ts'
import type { Wanted } from './overlay/links/wanted.ts'
import type { Rendezvous } from './overlay/rendezvous/rendezvous.ts'
import { checkPeerId, dialable, isAddress, leadsTo, parsePeer, peerInfoOf } from './peers.ts'
import { dialOrNone, searchProviders } from './providers.ts'
import { formatAddress, type Address } from './tools/address.ts'
import { failure } from './tools/failure.ts'
import type { Torrents } from './torrent/torrents.ts'

/** The timeout for hashing a file that is provided, in milliseconds. */
const seedTimeout = 3_600_000

export interface RoutingParts {
  readonly gate: ProfileGate
  readonly links: Links
  readonly dialler: Dialler
  readonly wanted: Wanted
  readonly rendezvous: Rendezvous
  readonly queries: Queries
  readonly provided: Provided
  readonly torrents: Torrents
  /** Peers named in the options. */
  readonly peers: readonly Address[]
}

/** Records in the DHT and at trackers, connections through the links. */
export function routingHooks(parts: RoutingParts): RoutingHooks {
  const { links, wanted, rendezvous, provided, torrents } = parts
  const records: RoutingHooks = {
    provide: async (cid, { signal }) => {
      await provide(parts, cid, signal)
    },
    unprovide: async (cid) => {
      await provided.remove(cid.multihash.bytes)
      await torrents.unseed(cid.multihash.bytes)
    },
    findProviders: (cid, { limit, signal }) => searchProviders(parts, contentKey(cid.multihash.bytes), limit, signal)
  }
  return {
    ...(rendezvous.keepsRecords ? records : {}),
    findPeer: async (id, { signal }) => await findPeer(parts, id, signal),
    connect: async (peer, { signal }) => {
      await connect(parts, peer, signal)
    },
    disconnect: async (id) => {
      checkPeerId(id)
      wanted.drop(id)
      for (const link of links.all()) if (leadsTo(id, link)) link.fail()
    },
    connections: async () => links.all().map(peerInfoOf),
    parseAddress: parsePeer,
    bootstrap: parts.peers.flatMap((address) => parsePeer(formatAddress(address)) ?? [])
  }
}

async function provide({ provided, links, torrents }: RoutingParts, cid: CID, signal: AbortSignal): Promise<void> {
  const linked = (): boolean => links.all().length > 0
  if (!(await provided.add(cid.multihash.bytes, linked, signal)))
    throw failure({
      code: 'NO_PEERS',
      message: 'nobody is there to take the record: connect, or give bootstrap or trackers, and provide again'
    })
  // In the background: hashing a large file takes a while, and the record is already out.
  if (cid.code === codecs.dagPb) torrents.seeds.add(cid, AbortSignal.timeout(seedTimeout)).catch(() => {})
}

async function findPeer(parts: RoutingParts, id: string, signal: AbortSignal): Promise<PeerInfo> {
  checkPeerId(id)
  const { links, dialler, rendezvous } = parts
  const link = links.get(id)
  if (link?.address !== undefined) return peerInfoOf(link)
  const found = new Map<string, Address>()
  await rendezvous.lookup(peerKey(id), (address) => found.set(formatAddress(address), address), signal)
  // Anybody can put a record under any key. The right peer is the one that proves the id.
  const checks = [...found.values()].map(async (address) => {
    const answering = await dialOrNone(dialler, address, signal)
    if (answering?.id !== id) throw new Error('another peer')
    return answering
  })
  const answering = await Promise.any(checks).catch(() => undefined)
  if (answering !== undefined) return peerInfoOf(answering)
  throw failure({ code: 'NOT_FOUND', message: `nobody who can be asked knows the peer ${id}` })
}

async function connect(
  { gate, links, dialler, wanted }: RoutingParts,
  peer: PeerInfo,
  signal: AbortSignal
): Promise<void> {
  const { id } = peer
  checkPeerId(id)
  const addresses = dialable(peer)
  if (addresses.length === 0 && peer.addresses.length > 0)
    throw failure({ code: 'INVALID_ARGUMENT', message: `none of the addresses of ${id} looks like 127.0.0.1:6881` })
  for (const { host } of addresses) gate.allow(host)
  wanted.add(id)
  const there = (): Link | undefined =>
    links.get(id) ?? (isAddress(id) ? links.all().find((link) => leadsTo(id, link)) : undefined)
  const errors: unknown[] = []
  for (const address of addresses) {
    if (there() !== undefined) return
    await dialler.dial(address, signal).catch((error: unknown) => errors.push(error))
    signal.throwIfAborted()
  }
  if (there() !== undefined) return
  const [cause] = errors
  const why = cause instanceof Error ? `: ${cause.message}` : ''
  const where = addresses.map(formatAddress).join(', ') || 'any known address'
  throw failure({ code: 'UNREACHABLE', cause, message: `${id} does not answer at ${where}${why}` })
}

import type { BlockBroker, HeliaMixin, Routing } from '@helia/interface'
import type { HeliaWithLibp2p } from '@helia/libp2p'
import type { PeerId } from '@libp2p/interface'
import type { Blockstore } from 'interface-blockstore'
import type { CID } from 'multiformats/cid'
import { sha256, sha512 } from 'multiformats/hashes/sha2'
import type { BlockSource } from '../bulk/server.ts'
import { requireMembers, type Members } from '../members.ts'
import type { MessagePart, WantEntry } from './message.ts'
import type { Node } from './network.ts'

const hashers = [sha256, sha512]

/** A message in the send queue. */
export interface QueuedMessage {
  full: boolean
  pendingBytes: number
  wantlist: Map<string, WantEntry>
  blocks: Map<string, unknown>
  blockPresences: Map<string, unknown>
}

export interface Ledger {
  readonly sendQueue: EventTarget & { readonly size: number }
  readonly bytesSent: number
}

/** The members of the engine's object that this package uses beyond its published interface. */
export interface BitswapInternals {
  readonly network: EventTarget & { sendMessage(peer: PeerId, message: QueuedMessage): Promise<void> }
  readonly wantList: {
    readonly wants: Map<string, unknown>
    /** Peers, and the keys of the wants that each peer was told. */
    readonly peers: { entries(): IterableIterator<[PeerId, Set<string>]> }
    sendMessagesDebounced(): Promise<void>
  }
  readonly peerWantLists: {
    readonly ledgerMap: { get(peer: PeerId): Ledger | undefined; delete(peer: PeerId): void; readonly size: number }
    receiveMessage(peer: PeerId, message: MessagePart): void
  }
}

export interface Library {
  readonly broker: Required<Pick<BlockBroker, 'retrieve' | 'announce'>> & {
    start(): Promise<void>
    stop(): Promise<void>
  }
  readonly internals: BitswapInternals
}

/** The same members, for a check at run time. */
export const libraryMembers: Members = {
  retrieve: 'function',
  announce: 'function',
  stop: 'function',
  'bitswap.network.sendMessage': 'function',
  'bitswap.network.dispatchEvent': 'function',
  'bitswap.wantList.wants.delete': 'function',
  'bitswap.wantList.peers.entries': 'function',
  'bitswap.wantList.sendMessagesDebounced': 'function',
  'bitswap.peerWantLists.ledgerMap.get': 'function',
  'bitswap.peerWantLists.ledgerMap.delete': 'function',
  'bitswap.peerWantLists.receiveMessage': 'function'
}

/**
 * Bitswap of the Helia project. It is made as an extension of a Helia node; this creates only the parts of a node that
 * it uses. The fetcher looks for providers, a few at a time, and only of blocks that the connected peers do not have.
 */
export async function startLibrary(libp2p: Node, source: BlockSource): Promise<Library> {
  const { withBitswap } = await import('@helia/bitswap')
  const mixins: HeliaMixin<HeliaWithLibp2p>[] = []
  const brokers: BlockBroker[] = []
  const host = {
    status: 'starting',
    libp2p,
    logger: libp2p.logger,
    blockstore: blockstoreOf(source),
    routing: { async *findProviders() {} } satisfies Pick<Routing, 'findProviders'>,
    // Without the identity hash: any block that carries the digest would pass.
    getHasher: (code: number) => {
      const hasher = hashers.find((one) => one.code === code)
      if (hasher === undefined) throw new Error(`no hash function 0x${code.toString(16)}`)
      return hasher
    },
    addMixin: (mixin: HeliaMixin<HeliaWithLibp2p>) => void mixins.push(mixin),
    hasBlockBroker: () => brokers.length > 0,
    addBlockBroker: (broker: BlockBroker) => void brokers.push(broker)
  } as unknown as HeliaWithLibp2p
  withBitswap(host, { sendWantlistDebounce: 0, doNotResendBlockWindow: 0 })
  for (const mixin of mixins) await mixin.start?.(host)
  requireMembers('@helia/bitswap', brokers[0], libraryMembers)
  const broker = brokers[0] as unknown as Library['broker'] & { bitswap: BitswapInternals }
  return { broker, internals: broker.bitswap }
}

/** The part of a blockstore from which blocks are served. */
function blockstoreOf(source: BlockSource): Pick<Blockstore, 'has' | 'get'> {
  return {
    has: (cid: CID) => source.has(cid.multihash.bytes),
    async *get(cid: CID) {
      // The engine recognises the error by this name. After any other error it would no longer answer this want.
      const bytes = await source.get(cid.multihash.bytes).catch(() => undefined)
      if (bytes === undefined) throw Object.assign(new Error('no such block'), { name: 'NotFoundError' })
      yield bytes
    }
  }
}

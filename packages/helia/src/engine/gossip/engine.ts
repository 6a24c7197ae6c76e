import type { GossipSub } from '@libp2p/gossipsub'
import type { Connection, PeerId, Stream } from '@libp2p/interface'
import { requireMembers, type Members } from '../members.ts'

export interface RpcMessage {
  readonly from?: Uint8Array | undefined
  readonly data?: Uint8Array | undefined
  readonly topic: string
}

interface Ids {
  readonly messageIDs: readonly unknown[]
}

/** The content of one frame of a stream. */
export interface Rpc {
  subscriptions: readonly { readonly subscribe?: boolean; readonly topic?: string }[]
  messages: readonly RpcMessage[]
  control?:
    | { readonly ihave: readonly Ids[]; readonly iwant: readonly Ids[]; readonly idontwant: readonly Ids[] }
    | undefined
}

/** A stream that carries messages to a peer. */
export interface OutboundStream {
  readonly protocol: string
  close(): Promise<void>
}

export interface Score {
  readonly params: { readonly topics: object }
  readonly peerStats: Map<string, { connected: boolean; expire: number; readonly topics: object }>
  readonly scoreCache: Map<string, unknown>
  readonly deliveryRecords: {
    readonly records: Map<string, { readonly peers: ReadonlySet<string> }>
    readonly queue: { readonly length: number; shift(): { readonly msgId: string } | undefined }
  }
  addPeer(id: string): void
  addPenalty(id: string, penalty: number, label: string): void
  duplicateMessage(id: string, messageId: string, topic: string): void
  rejectInvalidMessage(id: string, topic: string): void
}

/** A cache of the engine, with the oldest entries first. */
export interface TimeCache {
  readonly entries: Map<string, unknown>
}

/** The messages of the last heartbeats. */
export interface MessageCache {
  readonly msgs: ReadonlyMap<string, { readonly message: RpcMessage }>
  /** One window for each heartbeat, the latest first. */
  readonly history: readonly (readonly {
    readonly topic: string
    readonly msgId: Uint8Array
    readonly msgIdStr: string
  }[])[]
  remove(id: string): unknown
}

/** The members of the instance that this package uses beyond the published interface. */
export interface Gossip extends GossipSub {
  readonly streamsInbound: Map<string, { close(): Promise<void> }>
  readonly streamsOutbound: Map<string, OutboundStream>
  readonly topics: ReadonlyMap<string, ReadonlySet<string>>
  readonly mesh: ReadonlyMap<string, ReadonlySet<string>>
  readonly backoff: Map<string, unknown>
  readonly score: Score
  readonly seenCache: TimeCache
  readonly fastMsgIdCache: TimeCache
  readonly publishedMessageIds: TimeCache
  readonly mcache: MessageCache
  isStarted(): boolean
  getMeshPeers(topic: string): string[]
  getScore(id: string): number
  publish(topic: string, data: Uint8Array, options?: { floodPublish?: boolean }): ReturnType<GossipSub['publish']>
  addPeer(peer: PeerId, direction: Connection['direction'], address: Connection['remoteAddr']): void
  removePeer(peer: PeerId): void
  createOutboundStream(peer: PeerId, connection: Connection): Promise<void>
  decodeRpc(bytes: Uint8Array): Rpc
  handleReceivedRpc(from: PeerId, rpc: Rpc): Promise<void>
  sendGraft(id: string, topics: readonly string[]): void
  sendRpc(id: string, rpc: Rpc): boolean
  sendSubscriptions(id: string, topics: readonly string[], subscribe: boolean): void
  /** Called for each stream that a peer opens. */
  onIncomingStream(stream: Stream, connection: Connection): void
  /** Called for each peer that speaks the protocol. */
  onPeerConnected(peer: PeerId, connection: Connection): void
  /** Called some time after the last connection to a peer has closed, or when it no longer speaks the protocol. */
  onPeerDisconnected(peer: PeerId): void
}

/** The same members, for a check at run time. */
export const gossipMembers: Members = {
  streamsInbound: 'object',
  streamsOutbound: 'object',
  topics: 'object',
  mesh: 'object',
  backoff: 'object',
  'score.params.topics': 'object',
  'score.peerStats': 'object',
  'score.scoreCache': 'object',
  'score.deliveryRecords.records': 'object',
  'score.deliveryRecords.queue.shift': 'function',
  'score.addPeer': 'function',
  'score.addPenalty': 'function',
  'score.duplicateMessage': 'function',
  'score.rejectInvalidMessage': 'function',
  'seenCache.entries': 'object',
  'fastMsgIdCache.entries': 'object',
  'publishedMessageIds.entries': 'object',
  'mcache.msgs': 'object',
  'mcache.history': 'object',
  'mcache.remove': 'function',
  isStarted: 'function',
  getMeshPeers: 'function',
  getScore: 'function',
  addPeer: 'function',
  removePeer: 'function',
  createOutboundStream: 'function',
  decodeRpc: 'function',
  handleReceivedRpc: 'function',
  sendGraft: 'function',
  sendRpc: 'function',
  sendSubscriptions: 'function',
  onIncomingStream: 'function',
  onPeerConnected: 'function',
  onPeerDisconnected: 'function'
}

/** Throws `ENGINE` when the engine is not of the version that this package was written for. */
export function requireGossip(gossip: unknown): Gossip {
  requireMembers('@libp2p/gossipsub', gossip, gossipMembers)
  return gossip as Gossip
}

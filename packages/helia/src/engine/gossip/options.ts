import type { GossipsubOpts, Message } from '@libp2p/gossipsub'
import { digestText } from '#runtime/digest'
import { bytesKey } from '@p2pl/core/backend'
import type { Settings } from '../../options/settings.ts'
import type { Judge } from './judge.ts'

/**
 * Largest payload. Go nodes refuse a whole RPC above 1 MiB and then hear nothing more from its sender, for ever: an RPC is
 * the payload, at most 1,024 bytes of topic and some 200 of signature, and gossipsub may add control messages to it.
 */
export const maxMessageBytes: number = 512 * 1024

/** Largest RPC that is read, as in Go nodes. A longer one is left out. */
export const maxRpcBytes: number = 1024 * 1024

/** For this long (ms) messages are kept for peers that ask for them. */
const memory = 15_000

/**
 * Peers in the mesh of one topic before a node of a small network sends some away. Those hear of messages by gossip
 * only, some heartbeats later, and by chance not at all.
 */
const hubDegree = 48

/** Message ids as go-libp2p makes them (peer id as multihash, sequence number): with others, IHAVE and IWANT never match. */
export function messageId(message: Message): Uint8Array {
  if (message.type !== 'signed') throw new Error('an unsigned message has no sender and no sequence number')
  const from = message.from.toMultihash().bytes
  const id = new Uint8Array(from.length + 8)
  id.set(from)
  new DataView(id.buffer).setBigUint64(from.length, message.sequenceNumber)
  return id
}

/**
 * The id of an unsigned message is a digest. An author and a number would be claims, and a forged message that comes first must
 * not take the id of the true one. The topic is part of it, so that a message captured on one topic and sent on another hides nothing.
 */
export function contentId({ topic, data }: Message): Uint8Array {
  return new TextEncoder().encode(digestText([`${topic.length}\0`, topic, data]))
}

/** Options of gossipsub for the settings. */
export function gossipOptions(settings: Settings, judge: Judge): Partial<GossipsubOpts> {
  const closed = settings.profile !== 'public'
  const { degree, heartbeatInterval, seenTtl } = settings.gossip
  return {
    D: degree,
    Dlo: Math.max(1, degree - 1),
    // Who knows nobody but a hub has no other way into the mesh: where all are ours, a hub takes as many as that.
    Dhi: closed ? Math.max(degree * 2, hubDegree) : degree * 2,
    Dout: Math.min(1, degree - 2),
    // A peer outside of the mesh hears of each message from as many others as pass it on in public.
    Dlazy: 6,
    // Where links lose nothing while they hold, it need not hear of it from each of them in three heartbeats.
    ...(closed ? { mcacheGossip: 1 } : {}),
    // Each receiver tells each peer of its mesh that it wants no further copy. For a small message that takes as many packets as it saves.
    idontwantMinDataSize: 4_096,
    heartbeatInterval,
    // Long enough for a peer that was cut off to come back and ask.
    mcacheLength: Math.max(5, Math.ceil(memory / heartbeatInterval)),
    seenTTL: seenTtl,
    emitSelf: false,
    // Messages asks for it where the mesh has nobody.
    floodPublish: false,
    allowPublishToZeroTopicPeers: true,
    ignoreDuplicatePublishError: true,
    globalSignaturePolicy: settings.signing === 'strict' ? 'StrictSign' : 'StrictNoSign',
    msgIdFn: settings.signing === 'strict' ? messageId : contentId,
    // Without it the signature of each duplicate is verified again. The signature is part of it: a forged copy that
    // arrives first must not hide the true message. So are the lengths: nobody can move bytes from one part to the next.
    fastMsgIdFn: ({ from, seqno, signature, topic, data }) => {
      const parts = [from, seqno, signature, topic, data].map((part) => part ?? '')
      return digestText([`${parts.map(({ length }) => length).join()}\0`, ...parts])
    },
    msgIdToStrFn: bytesKey,
    scoreParams: {
      appSpecificScore: (id) => judge.score(id),
      // Peers without a fault are remembered, too.
      retainScore: 60_000,
      // The default marks down every peer of an address that has more than ten: a hub on loopback, or behind one router, would
      // hear nothing at all.
      ...(closed ? { IPColocationFactorWeight: 0 } : {})
    },
    // A message counts as handled when it has been checked, so that those that wait can be counted.
    awaitRpcMessageHandler: true,
    // A peer that does not read must not fill the memory.
    maxOutboundBufferSize: 16 << 20,
    ...settings.passthrough.gossipsub
  }
}

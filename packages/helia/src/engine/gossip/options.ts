import type { GossipsubOpts, Message } from '@libp2p/gossipsub'
import { digestText } from '#runtime/digest'
import { bytesKey } from '@p2pl/core/backend'
import type { Settings } from '../../options/settings.ts'
import type { Judge } from './judge.ts'

/**
 * Largest payload in bytes. Go nodes refuse a whole RPC above 1 MiB and then receive nothing more from its sender, for
 * ever. An RPC is the payload, at most 1,024 bytes of topic and some 200 of signature, and gossipsub may add control
 * messages to it.
 */
export const maxMessageBytes: number = 512 * 1024

/** Largest RPC that is read, as in Go nodes. A longer one is skipped. */
export const maxRpcBytes: number = 1024 * 1024

/** For this long (ms) messages are kept for peers that ask for them. */
const memory = 15_000

/**
 * The size of a topic's mesh up to which a node of a small network removes no peer from it. Removed peers hear of
 * messages only by gossip, some heartbeats later, and possibly never.
 */
const hubDegree = 48

/**
 * Message ids as go-libp2p makes them (peer id as multihash, sequence number). With any other ids, IHAVE and IWANT
 * never match.
 */
export function messageId(message: Message): Uint8Array {
  if (message.type !== 'signed') throw new Error('an unsigned message has no sender and no sequence number')
  const from = message.from.toMultihash().bytes
  const id = new Uint8Array(from.length + 8)
  id.set(from)
  new DataView(id.buffer).setBigUint64(from.length, message.sequenceNumber)
  return id
}

/**
 * The id of an unsigned message is a digest. Author and sequence number would be unproven claims, and a forged message
 * that arrives first must not take the id of the real one. The digest covers the topic, so that a message copied to
 * another topic hides nothing.
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
    // A peer that knows only a hub has no other way into the mesh. In a network of known peers, a hub therefore accepts
    // that many.
    Dhi: closed ? Math.max(degree * 2, hubDegree) : degree * 2,
    Dout: Math.min(1, degree - 2),
    // A peer outside the mesh hears of each message from as many peers as forward it in public.
    Dlazy: 6,
    // If links lose nothing while they hold, the peer need not hear of a message from each of them in three heartbeats.
    ...(closed ? { mcacheGossip: 1 } : {}),
    // Each receiver tells every peer of its mesh that it wants no further copy. For a small message that costs as many
    // packets as it saves.
    idontwantMinDataSize: 4_096,
    heartbeatInterval,
    // Long enough for a peer that was cut off to come back and ask.
    mcacheLength: Math.max(5, Math.ceil(memory / heartbeatInterval)),
    seenTTL: seenTtl,
    emitSelf: false,
    // `Messages` asks for it when the mesh is empty.
    floodPublish: false,
    allowPublishToZeroTopicPeers: true,
    ignoreDuplicatePublishError: true,
    globalSignaturePolicy: settings.signing === 'strict' ? 'StrictSign' : 'StrictNoSign',
    msgIdFn: settings.signing === 'strict' ? messageId : contentId,
    // Without it the signature of each duplicate is verified again. The id covers the signature, so that a forged copy
    // that arrives first cannot hide the real message. It also covers the lengths, so that nobody can move bytes from
    // one part to the next.
    fastMsgIdFn: ({ from, seqno, signature, topic, data }) => {
      const parts = [from, seqno, signature, topic, data].map((part) => part ?? '')
      return digestText([`${parts.map(({ length }) => length).join()}\0`, ...parts])
    },
    msgIdToStrFn: bytesKey,
    scoreParams: {
      appSpecificScore: (id) => judge.score(id),
      // The judge counts this. With a low score the engine would ignore what a peer sends, so that an attacker that
      // continues would be neither counted nor shut out.
      behaviourPenaltyWeight: 0,
      // Remembers peers without offences too.
      retainScore: 60_000,
      // The default lowers the score of every peer of an address that has more than ten peers. A hub on loopback, or
      // behind one router, would then receive nothing.
      ...(closed ? { IPColocationFactorWeight: 0 } : {})
    },
    // A message counts as handled only after its check, so waiting messages can be counted.
    awaitRpcMessageHandler: true,
    // A peer that does not read must not fill the memory.
    maxOutboundBufferSize: 16 << 20,
    ...settings.passthrough.gossipsub
  }
}

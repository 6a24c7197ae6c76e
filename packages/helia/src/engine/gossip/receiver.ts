import type { PeerId } from '@libp2p/interface'
import { peerIdFromMultihash } from '@libp2p/peer-id'
import { type Breather, Slots } from '@p2pl/core/backend'
import * as Digest from 'multiformats/hashes/digest'
import type { Gossip, Rpc, RpcMessage } from './engine.ts'
import type { Judge } from './judge.ts'

/** How many messages of one peer are checked at a time. */
const maxChecking = 32

/**
 * The most message ids in one frame. No node sends more than 5,000 at a time, but a frame of 1 MiB can hold 300,000
 * tiny ones.
 */
const maxIds = 16_384
/** Points for a frame with more ids. */
const idFlood = 10

/** What the frames of streams pass through. */
export interface Reception {
  readonly gossip: Gossip
  readonly judge: Judge
  readonly breather: Breather
  /** Limits how many messages of all peers are checked at a time. */
  readonly checking: Slots
}

/**
 * Makes the function that takes the frames of one stream. The engine starts to check all messages of all received
 * frames at once. Here the event loop gets turns in between, and the number of waiting messages is limited.
 */
export function receiver(
  { gossip, judge, breather, checking: allChecking }: Reception,
  peer: PeerId
): (frame: Uint8Array) => Promise<void> {
  const id = peer.toString()
  const checking = new Slots(maxChecking)
  const handle = async (rpc: Rpc): Promise<void> => {
    await gossip.handleReceivedRpc(peer, rpc).catch(() => {})
  }
  return async (frame) => {
    await breather.before(frame.byteLength)
    const rpc = decoded(gossip, frame)
    if (rpc === undefined || isEmpty(rpc)) {
      judge.charge(id)
      return
    }
    if (idsIn(rpc) > maxIds) {
      judge.charge(id, idFlood)
      return
    }
    const { messages, ...rest } = rpc
    if (!isEmpty({ ...rest, messages: [] })) await handle({ ...rest, messages: [] })
    for (const message of messages) {
      if (judge.isActive && judge.isShutOut(authorOf(message) ?? id)) continue
      await breather.before(message.data?.byteLength ?? 0)
      const leave = await checking.enter()
      void allChecking.run(() => handle({ subscriptions: [], messages: [message] })).finally(leave)
    }
  }
}

function decoded(gossip: Gossip, frame: Uint8Array): Rpc | undefined {
  try {
    return gossip.decodeRpc(frame)
  } catch {
    return undefined
  }
}

function isEmpty({ subscriptions, messages, control }: Rpc): boolean {
  return subscriptions.length === 0 && messages.length === 0 && control === undefined
}

function idsIn({ control }: Rpc): number {
  if (control === undefined) return 0
  const lists = [...control.ihave, ...control.iwant, ...control.idontwant]
  return lists.reduce((sum, { messageIDs }) => sum + messageIDs.length, 0)
}

function authorOf({ from }: RpcMessage): string | undefined {
  try {
    return from === undefined ? undefined : peerIdFromMultihash(Digest.decode(from)).toString()
  } catch {
    return undefined
  }
}

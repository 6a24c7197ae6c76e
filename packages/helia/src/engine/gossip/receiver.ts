import type { PeerId } from '@libp2p/interface'
import { peerIdFromMultihash } from '@libp2p/peer-id'
import { type Breather, Slots } from '@p2pl/core/backend'
import * as Digest from 'multiformats/hashes/digest'
import { isCrowded } from './crowded.ts'
import type { Gossip, Rpc, RpcMessage } from './engine.ts'
import type { Judge } from './judge.ts'

/** How many messages of one peer are checked at a time. */
const maxChecking = 32

/** Points for a frame with more parts than any node sends. */
const crowd = 10

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
    if (isCrowded(frame)) {
      judge.charge(id, crowd)
      return
    }
    const rpc = decoded(gossip, frame)
    if (rpc === undefined || isEmpty(rpc)) {
      judge.charge(id)
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

function authorOf({ from }: RpcMessage): string | undefined {
  try {
    return from === undefined ? undefined : peerIdFromMultihash(Digest.decode(from)).toString()
  } catch {
    return undefined
  }
}

import type { Libp2p } from '@libp2p/interface'
import { forgetAtClockJumps } from './clock-jumps.ts'
import type { Gossip } from './engine.ts'
import type { Judge } from './judge.ts'
import { maxRpcBytes } from './options.ts'
import { receiver } from './receiver.ts'
import { boundCaches, guardScores } from './scores.ts'
import { splitLargeRpcs } from './sending.ts'
import { Streams, type StreamEvents } from './streams.ts'
import { Turns } from './turns.ts'

/** Adds to gossipsub what it lacks. Before it starts: it then binds some of its members. */
export function tendGossip(libp2p: Libp2p, gossip: Gossip, judge: Judge, events: StreamEvents): Streams {
  guardScores(gossip, judge)
  splitLargeRpcs(gossip)
  const lookAtClock = forgetAtClockJumps(gossip)
  gossip.addEventListener('gossipsub:heartbeat', () => {
    boundCaches(gossip)
    lookAtClock()
  })
  const turns = new Turns()
  return new Streams(libp2p, gossip, {
    maxFrameBytes: maxRpcBytes,
    receiver: (peer) => receiver({ gossip, judge, turns }, peer),
    skipped: (peer, count) => {
      judge.charge(peer.toString(), 5 * count)
      events.skipped(peer, count)
    },
    broken: (peer) => events.broken(peer),
    opened: (peer) => events.opened(peer),
    // Each makes this side state its subscriptions.
    replaced: (peer) => judge.charge(peer.toString())
  })
}

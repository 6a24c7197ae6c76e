import type { Libp2p } from '@libp2p/interface'
import { Slots } from '@p2pl/core/backend'
import { boundCaches } from './caches.ts'
import { forgetAtClockJumps } from './clock-jumps.ts'
import type { Gossip } from './engine.ts'
import type { Judge } from './judge.ts'
import { maxRpcBytes } from './options.ts'
import { receiver } from './receiver.ts'
import { Recovery } from './recovery.ts'
import { guardScores } from './scores.ts'
import { splitLargeRpcs } from './sending.ts'
import { Streams, type StreamEvents } from './streams.ts'
import { newBreather } from '../streams/breather.ts'

/** How many messages of all peers are checked at a time. Each may have half a mebibyte. */
const maxChecking = 256

/** Adds what gossipsub lacks. Call it before gossipsub starts, which binds some of its members. */
export function tendGossip(libp2p: Libp2p, gossip: Gossip, judge: Judge, events: StreamEvents): Streams {
  guardScores(gossip, judge)
  splitLargeRpcs(gossip)
  const lookAtClock = forgetAtClockJumps(gossip)
  gossip.addEventListener('gossipsub:heartbeat', () => {
    boundCaches(gossip)
    lookAtClock()
  })
  const breather = newBreather()
  const checking = new Slots(maxChecking)
  return new Streams(libp2p, gossip, new Recovery(gossip), {
    maxFrameBytes: maxRpcBytes,
    receiver: (peer) => receiver({ gossip, judge, breather, checking }, peer),
    skipped: (peer, count) => {
      judge.charge(peer.toString(), 5 * count)
      events.skipped(peer, count)
    },
    broken: (peer, heardAt) => events.broken(peer, heardAt),
    opened: (peer) => events.opened(peer),
    // Each new stream makes this side state its subscriptions again.
    replaced: (peer) => judge.charge(peer.toString())
  })
}

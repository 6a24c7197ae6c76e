import type { Capabilities } from '@p2pl/core/backend'
import { maxBlockBytes } from './overlay/exchange/client.ts'
import { maxMessageBytes } from './overlay/gossip/message.ts'
import { recordLifetime } from './overlay/rendezvous/dht.ts'
import type { Settings } from './settings.ts'
import { hashCodes } from './tools/hashes.ts'

export function capabilitiesOf({ dir, durability, dht, trackers }: Settings): Capabilities {
  const meets = dht || trackers.length > 0
  return {
    messages: {
      delivery: 'at-most-once',
      ordering: 'none',
      echo: false,
      maxMessageBytes,
      pacing: 0,
      peers: 'native',
      recipients: 'native',
      // Nothing reports a loss. The adapter watches which peers of a topic are connected.
      gaps: 'emulated',
      validation: 'native',
      // The neighbouring peer is authenticated; the publisher is only claimed.
      sender: 'claimed'
    },
    blocks: {
      maxBlockBytes,
      persistence: dir === undefined ? 'none' : durability,
      remote: true,
      keepsFetched: true,
      pins: 'emulated',
      gc: 'emulated',
      hashes: hashCodes
    },
    routing: {
      provide: meets ? 'native' : 'none',
      unprovide: meets ? 'emulated' : 'none',
      findProviders: meets ? 'native' : 'none',
      findPeer: 'emulated',
      connect: 'native',
      recordLifetime
    }
  }
}

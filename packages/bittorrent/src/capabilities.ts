import type { Capabilities } from '@p2pl/core/backend'
import { maxMessageBytes } from './overlay/gossip/message.ts'
import { recordLifetime } from './overlay/rendezvous/dht.ts'
import type { Settings } from './settings.ts'
import { hashCodes } from './tools/hashes.ts'

/** What sha2-256 leaves of 1 MiB and their inner nodes need, with room. */
export const maxBlockBytes: number = 2 * 1024 * 1024

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
      // Nothing tells of a loss; the adapter watches who of a topic is connected.
      gaps: 'emulated',
      validation: 'native',
      // The next peer on the way is proven, the publisher is only named.
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

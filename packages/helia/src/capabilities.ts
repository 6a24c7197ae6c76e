import type { Capabilities } from '@p2pl/core/backend'
import { maxMessageBytes } from './gossip/options.ts'
import { hashCodes, maxBlockBytes } from './limits.ts'
import type { Settings } from './options.ts'

/** How long a DHT keeps a provider record. */
const recordLifetime = 48 * 3_600_000

export function capabilitiesOf({ dir, durability, dht, signing, gossip }: Settings): Capabilities {
  const records = dht === false ? 'none' : 'native'
  return {
    runtimes: ['node', 'browser'],
    messages: {
      delivery: 'at-most-once',
      ordering: 'none',
      echo: false,
      // Without a sender and a sequence number equal messages have equal ids.
      duplicates: signing === 'strict' ? 'delivered' : 'collapsed',
      maxMessageBytes,
      pacing: gossip.pacing,
      peers: 'native',
      recipients: 'native',
      // The engine does not tell; the adapter watches who of a topic is connected.
      gaps: 'emulated',
      validation: 'native',
      sender: signing === 'strict' ? 'verified' : 'none'
    },
    blocks: {
      maxBlockBytes,
      persistence: dir === undefined ? 'none' : durability,
      remote: true,
      keepsFetched: true,
      pins: 'emulated',
      gc: 'emulated',
      dag: 'emulated',
      hashes: hashCodes
    },
    routing: {
      provide: records,
      unprovide: records,
      findProviders: records,
      findPeer: 'native',
      connect: 'native',
      recordLifetime
    }
  }
}

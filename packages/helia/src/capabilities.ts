import type { Capabilities } from '@p2pl/core/backend'
import { maxMessageBytes } from './engine/gossip/options.ts'
import type { Settings } from './options/settings.ts'

/** The largest block that any two Bitswap implementations can exchange. */
export const maxBlockBytes: number = 2 * 1024 * 1024

/** How long a DHT keeps a provider record. */
const recordLifetime = 48 * 3_600_000

export function capabilitiesOf({ dir, durability, dht, signing, gossip }: Settings): Capabilities {
  const records = dht === false ? 'none' : 'native'
  return {
    messages: {
      delivery: 'at-most-once',
      ordering: 'none',
      echo: false,
      maxMessageBytes,
      pacing: gossip.pacing,
      peers: 'native',
      recipients: 'native',
      // The engine does not report gaps. The adapter watches the streams and connections of the peers in the topic.
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
      // sha2-256 and sha2-512
      hashes: [0x12, 0x13]
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

import type { Capabilities } from '@p2pl/core/backend'
// [full
import { maxBody, maxMessage } from './engine/frames.ts'
// full]
//| import { maxMessage } from './engine/frames.ts'
import type { Settings } from './options.ts'

/** Be honest: the kit proves each promise, and that everything declared as `none` is refused. Options may change what there is. */
export function capabilitiesOf(settings: Settings): Capabilities {
  // [full
  const { dir, durability } = settings
  // full]
  return {
    messages: {
      // TCP loses and reorders nothing while a connection lasts. Its end is noticed: that is a gap.
      delivery: 'reliable',
      ordering: 'sender',
      gaps: 'native',
      echo: false,
      maxMessageBytes: maxMessage,
      pacing: 0,
      peers: 'native',
      recipients: 'native',
      validation: 'none',
      // A peer is believed what it says of itself.
      sender: 'claimed'
    },
    // [full
    blocks: {
      maxBlockBytes: maxBody,
      persistence: dir === undefined ? 'none' : durability,
      remote: true,
      keepsFetched: true,
      pins: 'emulated',
      gc: 'emulated',
      // sha2-256 and sha2-512
      hashes: [0x12, 0x13]
    },
    // full]
    routing: {
      // There are no records: every connected peer is asked.
      provide: 'none',
      unprovide: 'none',
      findProviders: 'none',
      findPeer: 'none',
      connect: 'native',
      recordLifetime: Infinity
    }
  }
}

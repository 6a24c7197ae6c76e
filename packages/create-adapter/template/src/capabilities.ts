import type { Capabilities } from '@p2pl/core/backend'
// [full
import { maxBody, maxMessage } from './engine/frames.ts'
// full]
//| import { maxMessage } from './engine/frames.ts'
import type { Settings } from './options.ts'

/**
 * Be honest: the kit checks each promise, and that everything declared as `none` is refused. Options may change which
 * capabilities there are.
 */
export function capabilitiesOf(settings: Settings): Capabilities {
  // [full
  const { dir, durability } = settings
  // full]
  return {
    messages: {
      // TCP neither loses nor reorders anything while a connection lasts. The end of a connection is noticed and becomes a gap.
      delivery: 'reliable',
      ordering: 'sender',
      gaps: 'native',
      echo: false,
      maxMessageBytes: maxMessage,
      pacing: 0,
      peers: 'native',
      recipients: 'native',
      validation: 'none',
      // Nothing proves what a peer says about itself.
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
      // There are no provider records: every connected peer is asked.
      provide: 'none',
      unprovide: 'none',
      findProviders: 'none',
      findPeer: 'none',
      connect: 'native',
      recordLifetime: Infinity
    }
  }
}

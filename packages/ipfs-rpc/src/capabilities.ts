import type { Capabilities } from '@p2pl/core/backend'

const hour = 3_600_000

/**
 * The smallest distance of two publishes through one daemon, in milliseconds. Receiving daemons check the sequence
 * numbers of a sender across all its topics, and their validators overtake each other. They silently drop messages that
 * come closer together.
 */
const pacing = 10

/** Kubo's own limit, in bytes. */
export const maxBlockBytes: number = 2 * 1024 * 1024

/**
 * The largest payload of one message, in bytes. When one of a sender's messages nears 1 MiB, a daemon drops the sender
 * permanently, so this is well below. Core sends larger payloads as content.
 */
const maxMessageBytes = 256 * 1024

/** `managed`: whether the daemon is ours, so that we know how it stores data and what it provides by itself. */
export function capabilitiesOf(pubsub: boolean, managed: boolean): Capabilities {
  return {
    messages: pubsub
      ? {
          delivery: 'at-most-once',
          ordering: 'none',
          echo: true,
          maxMessageBytes,
          pacing,
          peers: 'native',
          recipients: 'emulated',
          gaps: 'native',
          validation: 'none',
          sender: 'verified'
        }
      : undefined,
    blocks: {
      maxBlockBytes,
      // A managed daemon syncs its store. The owner of an external daemon decides how it stores data.
      persistence: managed ? 'power' : 'process',
      remote: true,
      keepsFetched: true,
      pins: 'native',
      gc: 'native',
      hashes: [0x12, 0x13]
    },
    routing: {
      provide: 'native',
      // An external daemon provides according to its Provide.Strategy.
      unprovide: managed ? 'emulated' : 'none',
      findProviders: 'native',
      findPeer: 'native',
      connect: 'native',
      recordLifetime: 48 * hour
    }
  }
}

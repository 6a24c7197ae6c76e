import type { Capabilities } from '@p2pl/core/backend'

const hour = 3_600_000

/**
 * Smallest distance of two publishes through one daemon, in milliseconds. Receiving daemons check the sequence numbers of a
 * sender over all its topics, and their validators overtake each other: they drop in silence what comes closer.
 */
const pacing = 10

/** The limit of Kubo itself, in bytes. */
export const maxBlockBytes: number = 2 * 1024 * 1024

/**
 * Largest payload of one message, in bytes. A daemon drops a sender for good when one of its messages nears 1 MiB, so this
 * keeps well below; core sends larger payloads as content.
 */
const maxMessageBytes = 256 * 1024

/** `managed`: whether the daemon is ours, so that we know how it stores and what it provides by itself. */
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
      // A managed daemon syncs its store; how an external one stores is its owner's choice.
      persistence: managed ? 'power' : 'process',
      remote: true,
      keepsFetched: true,
      pins: 'native',
      gc: 'native',
      hashes: [0x12, 0x13]
    },
    routing: {
      provide: 'native',
      // An external daemon provides what its Provide.Strategy says.
      unprovide: managed ? 'emulated' : 'none',
      findProviders: 'native',
      findPeer: 'native',
      connect: 'native',
      recordLifetime: 48 * hour
    }
  }
}

import type { BlockCapabilities, Capabilities, MessageCapabilities, RoutingCapabilities } from '@p2pl/core/backend'

export interface Limits {
  readonly maxMessageBytes: number
  readonly maxBlockBytes: number
}

/** Those of a backend that has every part. */
export interface FullCapabilities extends Capabilities {
  readonly messages: MessageCapabilities
  readonly blocks: BlockCapabilities
  readonly routing: RoutingCapabilities
}

/** sha2-256 and sha2-512: those that core can verify. */
const hashes = [0x12, 0x13] as const

export function capabilities(limits: Limits): FullCapabilities {
  return {
    runtimes: ['node', 'browser'],
    messages: {
      delivery: 'reliable',
      ordering: 'sender',
      echo: false,
      duplicates: 'delivered',
      maxMessageBytes: limits.maxMessageBytes,
      pacing: 0,
      peers: 'native',
      recipients: 'native',
      gaps: 'native',
      validation: 'native',
      sender: 'verified'
    },
    blocks: {
      maxBlockBytes: limits.maxBlockBytes,
      persistence: 'none',
      remote: true,
      keepsFetched: true,
      pins: 'native',
      gc: 'native',
      dag: 'native',
      hashes
    },
    routing: {
      provide: 'native',
      unprovide: 'native',
      findProviders: 'native',
      findPeer: 'native',
      connect: 'native',
      recordLifetime: Infinity
    }
  }
}

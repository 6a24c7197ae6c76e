import type { BlockCapabilities, Capabilities, MessageCapabilities, RoutingCapabilities } from '@p2pl/core/backend'
import type { SimulatorOptions } from './options.ts'

/** Those of a backend that has every part. */
export interface FullCapabilities extends Capabilities {
  readonly messages: MessageCapabilities
  readonly blocks: BlockCapabilities
  readonly routing: RoutingCapabilities
}

/** The store survives a crash of the simulated process; what is lost is not reported, since that is what is simulated. */
export function capabilities({
  maxMessageBytes = 1_048_576,
  maxBlockBytes = 2_097_152
}: SimulatorOptions): FullCapabilities {
  return {
    runtimes: ['node', 'browser'],
    messages: {
      delivery: 'at-most-once',
      ordering: 'none',
      echo: false,
      duplicates: 'delivered',
      maxMessageBytes,
      pacing: 0,
      peers: 'native',
      recipients: 'native',
      gaps: 'none',
      validation: 'native',
      sender: 'verified'
    },
    blocks: {
      maxBlockBytes,
      persistence: 'process',
      remote: true,
      keepsFetched: true,
      pins: 'native',
      gc: 'native',
      dag: 'native',
      // sha2-256 and sha2-512: those that core can verify.
      hashes: [0x12, 0x13]
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

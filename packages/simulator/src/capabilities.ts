import type { Capabilities } from '@p2pl/core/backend'
import type { SimulatorOptions } from './options.ts'

/** The store survives a crash of the simulated process. Losses are not reported, because the code under test has to find them. */
export function capabilities(options: SimulatorOptions): Capabilities {
  const { maxMessageBytes = 1_048_576, maxBlockBytes = 2_097_152, mesh } = options
  return {
    messages: {
      delivery: 'at-most-once',
      ordering: 'none',
      echo: false,
      maxMessageBytes,
      pacing: 0,
      peers: 'native',
      recipients: 'native',
      gaps: 'none',
      validation: mesh === undefined ? 'none' : 'native',
      sender: 'verified'
    },
    blocks: {
      maxBlockBytes,
      persistence: 'process',
      remote: true,
      keepsFetched: true,
      pins: 'native',
      gc: 'native',
      // sha2-256 and sha2-512
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

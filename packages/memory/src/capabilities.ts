import type { Capabilities } from '@p2pl/core/backend'

export interface Limits {
  readonly maxMessageBytes: number
  readonly maxBlockBytes: number
}

export function capabilities({ maxMessageBytes, maxBlockBytes }: Limits): Capabilities {
  return {
    messages: {
      delivery: 'reliable',
      ordering: 'sender',
      echo: false,
      maxMessageBytes,
      pacing: 0,
      peers: 'native',
      recipients: 'native',
      gaps: 'native',
      validation: 'none',
      sender: 'verified'
    },
    blocks: {
      maxBlockBytes,
      persistence: 'none',
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

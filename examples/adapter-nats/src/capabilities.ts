import type { Capabilities } from '@p2pl/core/backend'
import type { Settings } from './options.ts'

export const maxBlockBytes: number = 2 * 1024 * 1024
/** Of a server with its default configuration. */
const usualPayload = 1024 * 1024

/** `maxPayload`: what the server says at start. */
export function capabilitiesOf({ content, dir }: Settings, maxPayload: number = usualPayload): Capabilities {
  return {
    messages: {
      // Servers of a cluster drop messages when the connection between them breaks, and tell nobody.
      delivery: 'at-most-once',
      ordering: 'sender',
      gaps: 'native',
      echo: false,
      maxMessageBytes: maxPayload,
      pacing: 0,
      peers: 'none',
      // The server says whether anybody listens: 1 stands for one or more.
      recipients: 'native',
      validation: 'none',
      // The subject has it. Permissions of the server can make it true.
      sender: 'claimed'
    },
    blocks: content
      ? {
          maxBlockBytes,
          // JetStream syncs its files every two minutes unless it is told otherwise, and does not say so.
          persistence: dir === undefined ? 'none' : 'process',
          remote: true,
          keepsFetched: true,
          pins: 'emulated',
          gc: 'emulated',
          // sha2-256 and sha2-512
          hashes: [0x12, 0x13]
        }
      : undefined
  }
}

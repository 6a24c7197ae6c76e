import type { LayerCall } from '@p2pl/core/backend'

/** Payload and block bytes that a call hands to the backend. Arguments of the wrong kind, which the backend refuses, count as none. */
export function bytesSent({ payload, blocks }: LayerCall): number {
  let sum = payload?.byteLength ?? 0
  if (Array.isArray(blocks))
    for (const block of blocks as LayerCall['blocks'] & object) sum += block?.bytes?.byteLength ?? 0
  return sum
}

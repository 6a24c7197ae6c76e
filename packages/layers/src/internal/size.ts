import type { LayerCall } from '@p2pl/core/backend'

/**
 * Bytes of payload and blocks that a call gives to the backend. Arguments of the wrong kind count as zero; the backend
 * refuses them.
 */
export function bytesSent({ payload, blocks }: LayerCall): number {
  let sum = payload?.byteLength ?? 0
  if (Array.isArray(blocks))
    for (const block of blocks as LayerCall['blocks'] & object) sum += block?.bytes?.byteLength ?? 0
  return sum
}

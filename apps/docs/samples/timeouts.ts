import { createPeer, isP2plError } from '@p2pl/core'
import { memory } from '@p2pl/memory'

await using peer = await createPeer({ backend: memory(), timeouts: { get: 500 } })
try {
  await peer.data.bytes('bafkreibm6jg3ux5qumhcn2b3flc3tyu6dmlb4xa7u5bf44yegnrjhc4yeq', { timeout: 50 })
} catch (error) {
  if (!isP2plError(error)) throw error
  console.log(error.code, error.operation, error.retryable)
}

// prints:
// TIMEOUT data.bytes true

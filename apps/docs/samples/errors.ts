import { createPeer, isP2plError } from '@p2pl/core'
import { memory } from '@p2pl/memory'

await using peer = await createPeer({ backend: memory() })
try {
  await peer.topic('news').publish(new Uint8Array(100), { timeout: 100 })
} catch (error) {
  if (isP2plError(error, 'NO_PEERS')) console.log('nobody is there yet')
  else if (isP2plError(error) && error.retryable) console.log('try again later')
  else throw error
}

// prints:
// nobody is there yet

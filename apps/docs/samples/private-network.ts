import { createPeer, isP2plError } from '@p2pl/core'
import { helia } from '@p2pl/helia'

const psk = crypto.getRandomValues(new Uint8Array(32)) // the same for all peers of the network
await using ann = await createPeer({ backend: helia({ psk }) })
await using ben = await createPeer({ backend: helia({ psk }) })
await using stranger = await createPeer({ backend: helia() })

await ben.network.connect(ann.network.self())
console.log('Ben is connected:', (await ben.network.connections()).length === 1)

await stranger.network.connect(ann.network.self()).catch((error) => {
  if (isP2plError(error)) console.log('the stranger:', error.code)
})

// prints:
// Ben is connected: true
// the stranger: UNREACHABLE

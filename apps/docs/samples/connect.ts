import { createPeer } from '@p2pl/core'
import { helia } from '@p2pl/helia'

await using ann = await createPeer({ backend: helia() })
await using ben = await createPeer({ backend: helia() })

// Ann sends all of this to Ben by any channel: it is plain data.
const invitation = JSON.stringify(ann.network.self())

await ben.network.connect(JSON.parse(invitation))
console.log((await ben.network.connections()).length)

// prints:
// 1

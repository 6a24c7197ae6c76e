import { createPeer } from '@p2pl/core'
import { helia } from '@p2pl/helia'

// A peer that stays online, at an address that everybody knows.
await using hub = await createPeer({ backend: helia({ listen: ['/ip4/127.0.0.1/tcp/0'] }) })
const bootstrap = hub.network.self()[0]?.addresses ?? []

// Two peers that know only the hub.
await using ann = await createPeer({ backend: helia({ bootstrap }) })
await using ben = await createPeer({ backend: helia({ bootstrap }) })

// `add` puts out a provider record in the background, as soon as there is a peer that keeps it.
const { cid } = await ann.data.add('found by the DHT')
console.log(new TextDecoder().decode(await ben.data.bytes(cid)))

// prints:
// found by the DHT

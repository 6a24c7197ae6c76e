import { createPeer } from '@p2pl/core'
import { helia } from '@p2pl/helia'
import { memory } from '@p2pl/memory'

// Messages through libp2p, content through another backend.
const peer = await createPeer({ messages: helia(), data: memory() })
const { cid } = await peer.data.add('hello')
console.log(String(cid))
console.log(peer.network.self().map(({ network }) => network))
await peer.stop()

// prints:
// bafkreibm6jg3ux5qumhcn2b3flc3tyu6dmlb4xa7u5bf44yegnrjhc4yeq
// [ 'memory', 'libp2p' ]

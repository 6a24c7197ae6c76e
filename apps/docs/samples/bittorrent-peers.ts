import { bittorrent } from '@p2pl/bittorrent'
import { createPeer } from '@p2pl/core'

await using first = await createPeer({ backend: bittorrent() })
const [address = ''] = first.network.self()[0]?.addresses ?? []

await using second = await createPeer({ backend: bittorrent({ peers: [address] }) })
const subscription = second.topic('news').subscribe()
await subscription.joined

await first.topic('news').publish(new TextEncoder().encode('we have met'))
const { value: item } = await subscription.next()
if (item?.type === 'message') console.log(new TextDecoder().decode(item.payload))

// prints:
// we have met

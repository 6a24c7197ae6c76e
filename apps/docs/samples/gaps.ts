import { createPeer, text } from '@p2pl/core'
import { createMemoryNetwork, memory } from '@p2pl/memory'

const network = createMemoryNetwork()
await using ann = await createPeer({ backend: memory({ network }) })
await using ben = await createPeer({ backend: memory({ network, id: 'ben' }) })

await using subscription = ben.topic('news', { codec: text }).subscribe()
await subscription.joined
const news = ann.topic('news', { codec: text })

await news.publish('one')
console.log((await subscription.next()).value?.type)
network.interrupt('ben') // somebody pulls Ben's cable
await news.publish('two', { recipients: 0 })
network.resume('ben')
await news.publish('three')

for await (const item of subscription) {
  if (item.type === 'gap') console.log('something is missing:', item.reason)
  else console.log(item.payload)
  if (item.type === 'message' && item.payload === 'three') break
}

// prints:
// message
// something is missing: disconnected
// three

import { createPeer, text, type Backend } from '@p2pl/core'
import { bittorrent } from '@p2pl/bittorrent'
import { helia } from '@p2pl/helia'
import { memory } from '@p2pl/memory'

async function greet(name: string, backends: [Backend, Backend]): Promise<void> {
  await using ann = await createPeer({ backend: backends[0] })
  await using ben = await createPeer({ backend: backends[1] })
  await ben.network.connect(ann.network.self())

  const heard = ben.topic('greetings', { codec: text }).subscribe()
  await heard.joined
  await ann.topic('greetings', { codec: text }).publish('hello')
  const { value: item } = await heard.next()
  if (item?.type === 'message') console.log(`${name}: ${item.payload}`)

  const { cid } = await ann.data.add('a document')
  const bytes = await ben.data.bytes(cid)
  console.log(`${name}: ${new TextDecoder().decode(bytes)}`)
}

await greet('helia', [helia(), helia()])
await greet('bittorrent', [bittorrent(), bittorrent()])
await greet('memory', [memory(), memory()])

// prints:
// helia: hello
// helia: a document
// bittorrent: hello
// bittorrent: a document
// memory: hello
// memory: a document

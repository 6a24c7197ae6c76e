import { createInterface } from 'node:readline'
import { createBackends, loadConfig } from '@p2pl/config'
import { createPeer, text } from '@p2pl/core'
import { createSecret, joinRoom } from '@p2pl/room'

const [name = 'Somebody', secret = createSecret(), address] = process.argv.slice(2)
const peer = await createPeer(await createBackends(await loadConfig()))
const room = await joinRoom(peer, 'chat', { name, secret, history: 100, codec: text })

room.onEvent((event) => {
  if (event.type === 'join') console.log(`* ${event.peer.name} is here`)
  if (event.type === 'leave') console.log(`* ${event.peer.name} has left`)
})
room.onMessage(({ sender, payload }) => console.log(`${room.peers.get(sender)?.name ?? 'Somebody'}: ${payload}`))

if (address !== undefined) await peer.network.connect(address)
console.log(`In another terminal: node chat.mjs Ben ${secret} ${peer.network.self()[0]?.addresses[0]}`)
for await (const line of createInterface({ input: process.stdin })) {
  await room.send(line).catch(({ message }) => console.error(message))
}
await room.leave()
await peer.stop()

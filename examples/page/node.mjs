import { readFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import { extname, join } from 'node:path'
import { createInterface } from 'node:readline'
import { createPeer, text } from '@p2pl/core'
import { helia } from '@p2pl/helia'
import { createSecret, joinRoom } from '@p2pl/room'

// Pages dial by WebSocket. What one page says reaches the others through this peer.
const peer = await createPeer({ backend: helia({ listen: ['/ip4/127.0.0.1/tcp/0/ws'] }) })
const secret = createSecret()
const room = await joinRoom(peer, 'page', { name: 'Node', secret, history: 100, codec: text })
room.onEvent((event) => event.type === 'join' && console.log(`* ${event.peer.name} is here`))
room.onMessage(({ sender, payload }) => console.log(`${room.peers.get(sender)?.name ?? 'Somebody'}: ${payload}`))

const types = { '.html': 'text/html', '.js': 'text/javascript' }
const server = createServer(({ url = '/' }, response) => {
  const path = new URL(url, 'http://localhost').pathname.replace(/\/$/, '/index.html')
  readFile(join(import.meta.dirname, 'dist', path)).then(
    (file) => response.writeHead(200, { 'content-type': types[extname(path)] }).end(file),
    () => response.writeHead(404).end()
  )
})
server.listen(0, '127.0.0.1', () => {
  const address = peer.network.self()[0]?.addresses[0]
  console.log(`Open http://127.0.0.1:${server.address().port}/#${secret},${address}`)
})

for await (const line of createInterface({ input: process.stdin })) {
  await room.send(line).catch(({ message }) => console.error(message))
}
await room.leave()
await peer.stop()
process.exit()

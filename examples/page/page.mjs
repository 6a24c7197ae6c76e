import { createPeer, text } from '@p2pl/core'
import { helia } from '@p2pl/helia'
import { joinRoom } from '@p2pl/room'

// The link that node.mjs prints: http://…/#secret,address
const [secret, address = ''] = location.hash.slice(1).split(',')
const element = (id) => document.getElementById(id)

const peer = await createPeer({ backend: helia({ bootstrap: [address] }) })
const room = await joinRoom(peer, 'page', { name: `Page ${peer.id.slice(-4)}`, secret, history: 100, codec: text })

room.onEvent(() => (element('names').textContent = [...room.peers.values()].map(({ name }) => name).join(', ')))
room.onMessage(({ sender, payload }) => show(`${room.peers.get(sender)?.name ?? 'Somebody'}: ${payload}`))

document.forms[0].addEventListener('submit', (event) => {
  event.preventDefault()
  const input = element('text')
  room.send(input.value).catch(show)
  show(`You: ${input.value}`)
  input.value = ''
})

function show(line) {
  element('messages').append(Object.assign(document.createElement('li'), { textContent: line }))
}

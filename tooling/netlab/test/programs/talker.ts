// A peer that records what it hears on a topic.
import { createPeer, type PeerInfo } from '@p2pl/core'
import { helia, type HeliaOptions } from '@p2pl/helia'
import { ipfsRpc, type IpfsRpcOptions } from '@p2pl/ipfs-rpc'
import { answer } from '@p2pl/tooling-vitest/answer'

const [engine, options = '{}'] = process.argv.slice(2)
const backend =
  engine === 'helia' ? helia(JSON.parse(options) as HeliaOptions) : ipfsRpc(JSON.parse(options) as IpfsRpcOptions)
const peer = await createPeer({ backend })
const topic = peer.topic('talk')
const heard: string[] = []
let gaps = 0
const subscription = topic.subscribe()
void (async () => {
  for await (const item of subscription)
    if (item.type === 'gap') gaps++
    else heard.push(new TextDecoder().decode(item.payload))
})()

answer({
  self: () => peer.network.self(),
  connect: (others: readonly PeerInfo[]) => peer.network.connect(others),
  connections: async () => (await peer.network.connections()).length,
  say: async (text: string) => {
    await topic.publish(new TextEncoder().encode(text), { recipients: 0, timeout: 5_000 })
  },
  heard: () => heard,
  gaps: () => gaps
})

import { until } from '@p2pl/tooling-vitest'
import { expect, test } from 'vitest'
import { spawnScript } from './process.ts'
import { engineOf, listen, ready, say, selfOf, started, startMany } from './helper.ts'

test('600 idle sockets keep nobody out', async () => {
  const node = await started()
  const strangers = spawnScript('strangers.process.ts')
  const [address = ''] = selfOf(node).addresses
  await strangers.ask('sockets', Number(/\/tcp\/(\d+)/.exec(address)?.[1]), 600)
  const newcomer = await started()
  await newcomer.routing.connect(selfOf(node), { signal: AbortSignal.timeout(100_000) })
})

test('idle strangers make room for newcomers; peers that are of use stay', async () => {
  const node = await started({ connections: { low: 0, high: 10 }, dht: false })
  const inbox = await listen(node, 'room')
  const useful = await startMany(3, { dht: false })
  for (const peer of useful) {
    await peer.routing.connect(selfOf(node))
    await listen(peer, 'room')
  }
  await ready(node, 'room', 3)
  const strangers = spawnScript('strangers.process.ts')
  await strangers.ask('handshakes', selfOf(node).addresses[0], 20)
  const newcomer = await started({ dht: false })
  await newcomer.routing.connect(selfOf(node), { signal: AbortSignal.timeout(100_000) })
  await ready(newcomer, 'room')
  await say(newcomer, 'room', 'I am new')
  await until('the message', () => inbox.texts.includes('I am new'))
  await strangers.ask('handshakes', selfOf(node).addresses[0], 20)
  // The last one may still be on its way out.
  const connected = await until('ten are left', async () => {
    const ids = (await node.routing.connections()).map(({ id }) => id)
    return ids.length <= 10 && ids
  })
  expect(connected).toEqual(expect.arrayContaining([...useful, newcomer].map((peer) => selfOf(peer).id)))
  expect(inbox.gaps).toEqual([])
})

test('one peer with many connections takes no more than its share', async () => {
  const node = await started({ connections: { low: 0, high: 10 }, dht: false })
  const [one, other] = await startMany(2, { dht: false })
  if (one === undefined || other === undefined) throw new Error('two nodes')
  await listen(node, 'share')
  await listen(one, 'share')
  await one.routing.connect(selfOf(node))
  await ready(node, 'share')
  const { libp2p } = engineOf(one)
  const [address] = engineOf(node).libp2p.getMultiaddrs()
  if (address === undefined) throw new Error('it listens')
  // The published type does not have it.
  const forced: object = { force: true }
  for (let i = 0; i < 20; i++) await libp2p.dialProtocol(address, '/ipfs/ping/1.0.0', forced)
  await other.routing.connect(selfOf(node), { signal: AbortSignal.timeout(100_000) })
  await until('both are there, and the rest is closed', async () => {
    const connected = new Set((await node.routing.connections()).map(({ id }) => id))
    const { length } = engineOf(node).libp2p.getConnections()
    return connected.size === 2 && connected.has(selfOf(one).id) && connected.has(selfOf(other).id) && length <= 10
  })
})

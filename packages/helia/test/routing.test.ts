import { createPeer } from '@p2pl/core'
import { isP2plError, type BackendEvent } from '@p2pl/core/backend'
import { freePort, until } from '@p2pl/tooling-vitest'
import { multiaddr } from '@multiformats/multiaddr'
import { describe, expect, test, vi } from 'vitest'
import { Gater } from '../src/engine/connections/gater.ts'
import { collect, engineOf, make, pair, selfOf, started, startMany, textBlock } from './helper.ts'
import { spawnScript } from './process.ts'

const code = (expected: Parameters<typeof isP2plError>[1]) => (error: unknown) => isP2plError(error, expected)

describe('provider records', () => {
  test('providing alone is refused at once, and works when somebody is there', async () => {
    const [a, b] = await startMany(2)
    if (a === undefined || b === undefined) throw new Error('two nodes')
    const { cid } = await textBlock('provided')
    await expect(a.routing.provide(cid)).rejects.toSatisfy((error) => isP2plError(error, 'NO_PEERS') && error.retryable)
    expect(await collect(a.routing.findProviders(cid))).toEqual([])
    await a.routing.connect(selfOf(b))
    await a.routing.provide(cid, { signal: AbortSignal.timeout(100_000) })
    const found = await collect(b.routing.findProviders(cid, { signal: AbortSignal.timeout(100_000) }))
    expect(found.map(({ id }) => id)).toEqual([selfOf(a).id])
    expect(found[0]?.addresses.length).toBeGreaterThan(0)
  })

  test('providers are distinct, without the asking node, and as many as asked for', async () => {
    const nodes = await startMany(4)
    const [hub, ...others] = nodes
    if (hub === undefined) throw new Error('four nodes')
    await Promise.all(others.map((node) => node.routing.connect(selfOf(hub))))
    const { cid } = await textBlock('by all')
    const signal = AbortSignal.timeout(100_000)
    for (const node of nodes) await node.routing.provide(cid, { signal })
    for (const node of nodes) {
      const ids = (await collect(node.routing.findProviders(cid, { signal }))).map(({ id }) => id)
      expect(ids.toSorted()).toEqual(
        nodes
          .filter((other) => other !== node)
          .map((other) => selfOf(other).id)
          .toSorted()
      )
    }
    expect(await collect(hub.routing.findProviders(cid, { signal, limit: 2 }))).toHaveLength(2)
    await hub.routing.unprovide(cid)
    await hub.routing.unprovide((await textBlock('never provided')).cid)
  })

  test('are given again while the backend runs', async () => {
    // The engine's clock made fast: a record is due again 200 ms after it was made.
    const a = await started({
      passthrough: { dht: { reprovide: { interval: 100, threshold: 10_000, validity: 10_200 } } }
    })
    const first = await started()
    await a.routing.connect(selfOf(first))
    const { cid } = await textBlock('again')
    await a.routing.provide(cid, { signal: AbortSignal.timeout(100_000) })
    await first.stop()
    const second = await started()
    await a.routing.connect(selfOf(second))
    // Nobody provides again here, and the only one who had the record is gone.
    await until('the record', async () => (await collect(second.routing.findProviders(cid))).length === 1)
  })

  test('a peer that was too busy for a sign of life when it connected is asked again', async () => {
    const [a, b] = await startMany(2)
    if (a === undefined || b === undefined) throw new Error('two nodes')
    const { ping } = engineOf(b).libp2p.services as unknown as { ping: { ping: () => Promise<number> } }
    const asked = vi.spyOn(ping, 'ping').mockRejectedValue(new Error('too late'))
    await b.routing.connect(selfOf(a))
    await until('it was asked in vain', () => asked.mock.settledResults.length > 0)
    expect(engineOf(b).dht?.routingTable.size).toBe(0)
    asked.mockRestore()
    await b.routing.provide((await textBlock('asked again')).cid)
  })

  test('a node that nobody can reach does not provide: others would throw its record away', async () => {
    const [node, other] = await Promise.all([started({ listen: [] }), started()])
    await node.routing.connect(selfOf(other))
    await expect(node.routing.provide((await textBlock('in vain')).cid)).rejects.toSatisfy(
      (error) => isP2plError(error, 'UNREACHABLE') && error.retryable
    )
  })

  test('without a DHT they are refused as declared', async () => {
    const node = await started({ dht: false })
    const { cid } = await textBlock('none')
    await expect(node.routing.provide(cid)).rejects.toSatisfy(code('UNSUPPORTED'))
    await expect(node.routing.unprovide(cid)).rejects.toSatisfy(code('UNSUPPORTED'))
    await expect(collect(node.routing.findProviders(cid))).rejects.toSatisfy(code('UNSUPPORTED'))
  })
})

describe('connections', () => {
  test('addresses of a peer are found through others', async () => {
    const [a, middle, b] = await startMany(3)
    if (a === undefined || middle === undefined || b === undefined) throw new Error('three nodes')
    await a.routing.connect(selfOf(middle))
    await b.routing.connect(selfOf(middle))
    await until('the hub has both', async () => (await middle.routing.connections()).length === 2)
    const found = await until('the peer', async () => {
      try {
        return await b.routing.findPeer(selfOf(a).id, { signal: AbortSignal.timeout(5_000) })
      } catch {
        return undefined
      }
    })
    expect(found.addresses.length).toBeGreaterThan(0)
    await b.routing.connect(found)
    const nobody = '12D3KooWDTVwmHWQrkT7yLe4B6Ht42fNXFe3sD3qEErBjZk4CwVj'
    await expect(b.routing.findPeer(nobody, { signal: AbortSignal.timeout(100_000) })).rejects.toSatisfy(
      code('NOT_FOUND')
    )
    await expect(b.routing.findPeer('nobody')).rejects.toSatisfy(code('INVALID_ARGUMENT'))
  })

  test('nobody there, somebody else there, and the node itself', async () => {
    const [a, b] = await startMany(2)
    if (a === undefined || b === undefined) throw new Error('two nodes')
    const id = '12D3KooWDTVwmHWQrkT7yLe4B6Ht42fNXFe3sD3qEErBjZk4CwVj'
    const at = async (addresses: string[]): Promise<unknown> =>
      await a.routing
        .connect({ network: 'libp2p', id, addresses }, { signal: AbortSignal.timeout(100_000) })
        .catch((error: unknown) => error)
    expect(await at([`/ip4/127.0.0.1/tcp/${await freePort()}`])).toSatisfy(code('UNREACHABLE'))
    const taken = selfOf(b).addresses[0]?.split('/p2p/')[0] ?? ''
    expect(await at([taken])).toSatisfy(code('UNREACHABLE'))
    expect(await at(['not an address'])).toSatisfy(code('INVALID_ARGUMENT'))
    expect(await a.routing.connections()).toEqual([])
  })

  test('fifteen at the same time are all made', async () => {
    const [hub, ...others] = await startMany(16)
    if (hub === undefined) throw new Error('a hub')
    await Promise.all(others.map((node) => node.routing.connect(selfOf(hub))))
    await until('all of them', async () => (await hub.routing.connections()).length === 15)
  })

  test('a connection that was ended stays ended', async () => {
    // Without the DHT, whose searches dial whom they ask.
    const [a, b] = await pair({ dht: false })
    await b.routing.disconnect(selfOf(a).id)
    await b.routing.disconnect(selfOf(a).id)
    expect(await b.routing.connections()).toEqual([])
    await until('the other side, too', async () => (await a.routing.connections()).length === 0)
  })

  test('a connection that does not close in an orderly way is cut', async () => {
    const [a, b] = await pair({ dht: false })
    const [connection] = engineOf(b).libp2p.getConnections() ?? []
    if (connection === undefined) throw new Error('a connection')
    // As when both sides close at the same moment: its end has been told before anybody waits for it.
    connection.close = () => new Promise<never>(() => {})
    await b.routing.disconnect(selfOf(a).id)
    expect(connection.status).toBe('aborted')
    await until('the other side notices', async () => (await a.routing.connections()).length === 0)
  })

  test('peers that the options name, or that were away when they were connected to, are connected to when they come', async () => {
    const port = await freePort()
    const options = { listen: [`/ip4/127.0.0.1/tcp/${port}`] }
    const a = make(options)
    await a.start()
    const target = selfOf(a)
    await a.stop()
    const [address = ''] = target.addresses
    const events: BackendEvent[] = []
    const named = await createPeer({
      backend: make({ bootstrap: [address] }),
      onEvent: (event) => void events.push(event)
    })
    const told = await createPeer({ backend: make() })
    try {
      await expect(told.network.connect(address)).rejects.toSatisfy(code('UNREACHABLE'))
      await until('a warning', () => events.some((one) => one.type === 'warning' && one.message.includes(address)))
      await a.start()
      expect(selfOf(a).id).toBe(target.id)
      await until('both', async () => (await a.routing.connections()).length === 2)
    } finally {
      await Promise.all([named.stop(), told.stop()])
    }
  })

  test('an address is taken as text', async () => {
    const node = await started()
    const { id, network, addresses } = selfOf(node)
    expect(node.routing.parseAddress(addresses[0] ?? '')).toEqual({ id, network, addresses: addresses.slice(0, 1) })
    for (const text of ['/ip4/127.0.0.1/tcp/4001', 'localhost:4001', '', 'magnet:?xt=urn:btih:00'])
      expect(node.routing.parseAddress(text)).toBeUndefined()
    expect(make({ bootstrap: [...addresses] }).routing.bootstrap).toEqual([])
    const other = await started({ bootstrap: [...addresses] })
    expect(other.routing.bootstrap).toEqual([{ id, network, addresses }])
  })

  test('two processes find each other by multicast DNS, and only with the same tag', async () => {
    const tag = `_p2pl${process.pid}._udp.local`
    const a = await started({ mdns: tag })
    const other = await started({ mdns: `_other${process.pid}._udp.local` })
    const remote = spawnScript('node.process.ts', JSON.stringify({ mdns: tag }))
    const self = await remote.ask<{ id: string }>('start')
    await until('the connection', async () => (await a.routing.connections()).some(({ id }) => id === self.id))
    expect(await other.routing.connections()).toEqual([])
  })
})

describe('a profile', () => {
  const given = '12D3KooWDTVwmHWQrkT7yLe4B6Ht42fNXFe3sD3qEErBjZk4CwVj'
  const other = '12D3KooWQ7pPDUHAZ9HhCAhGBcSUrPDCJ8WLBzR8rvqPYBxhbYSm'
  test.each([
    ['closed', '/ip4/127.0.0.1/tcp/1', true],
    ['closed', '/ip6/::1/tcp/1', true],
    ['closed', '/ip4/192.168.1.2/tcp/1', false],
    ['closed', '/ip4/93.184.216.34/tcp/1', false],
    ['closed', '/dns4/example.org/tcp/1', false],
    ['closed', `/ip4/93.184.216.34/tcp/1/p2p/${given}`, true],
    ['closed', `/ip4/93.184.216.34/tcp/1/p2p/${other}`, false],
    ['lan', '/ip4/192.168.1.2/tcp/1', true],
    ['lan', '/ip4/10.1.1.2/tcp/1', true],
    ['lan', '/ip4/172.32.1.2/tcp/1', false],
    ['lan', '/ip6/fd00::1/tcp/1', true],
    ['lan', '/ip4/93.184.216.34/tcp/1', false],
    ['public', '/ip4/93.184.216.34/tcp/1', true]
  ] as const)('%s and %s: %s', (profile, address, allowed) => {
    const gater = new Gater(profile, [given])
    expect(gater.allowsDial(multiaddr(address))).toBe(allowed)
  })

  test.each([
    // Over the relay alone: too little for topics and blocks.
    ['public', `/ip4/127.0.0.1/tcp/1/ws/p2p/${given}/p2p-circuit/p2p/${other}`, false],
    // To agree on a connection: where the relay is, or who the other is, decides.
    ['closed', `/ip4/127.0.0.1/tcp/1/ws/p2p/${other}/p2p-circuit/webrtc/p2p/${other}`, true],
    ['closed', `/dns4/relay.example/tcp/443/wss/p2p/${other}/p2p-circuit/webrtc/p2p/${given}`, true],
    ['closed', `/dns4/relay.example/tcp/443/wss/p2p/${given}/p2p-circuit/webrtc/p2p/${other}`, false],
    ['lan', `/ip4/10.1.1.2/tcp/1/ws/p2p/${given}/p2p-circuit/webrtc/p2p/${other}`, true],
    ['public', `/dns4/relay.example/tcp/443/wss/p2p/${given}/p2p-circuit/webrtc/p2p/${other}`, true]
  ] as const)('%s and a dial through a relay, %s: %s', (profile, address, allowed) => {
    const gater = new Gater(profile, [given])
    expect(gater.allowsDial(multiaddr(address))).toBe(allowed)
  })

  test.each([
    ['closed', `/ip4/93.184.216.34/tcp/1/p2p/${other}`, true],
    ['closed', `/ip4/127.0.0.1/tcp/1/ws/p2p/${given}/p2p-circuit/p2p/${other}`, true],
    ['closed', `/dns4/relay.example/tcp/443/wss/p2p/${given}/p2p-circuit/p2p/${other}`, false],
    ['closed', `/dns4/relay.example/tcp/443/wss/p2p/${other}/p2p-circuit/p2p/${given}`, true],
    ['lan', `/ip4/10.1.1.2/tcp/1/ws/p2p/${given}/p2p-circuit/p2p/${other}`, true],
    ['public', `/dns4/relay.example/tcp/443/wss/p2p/${given}/p2p-circuit/p2p/${other}`, true]
  ] as const)('%s and a connection from %s: %s', (profile, address, allowed) => {
    const gater = new Gater(profile, [given])
    expect(gater.allowsInbound(multiaddr(address))).toBe(allowed)
  })

  test('hints of others do not lead out of a closed network', async () => {
    const node = await started()
    const { cid } = await textBlock('outside')
    // A listener that would notice; its address is not loopback, so the node must not even try.
    const { networkInterfaces } = await import('node:os')
    const outside = Object.values(networkInterfaces())
      .flat()
      .find((one) => one !== undefined && one.family === 'IPv4' && !one.internal)?.address
    if (outside === undefined) return
    const { createServer } = await import('node:net')
    let connections = 0
    const server = createServer((socket) => {
      connections++
      socket.destroy()
    })
    await new Promise<void>((resolve) => void server.listen(0, outside, resolve))
    const { port } = server.address() as { port: number }
    const providers = [{ network: 'libp2p', id: other, addresses: [`/ip4/${outside}/tcp/${port}`] }]
    await expect(node.blocks.get(cid, { providers, signal: AbortSignal.timeout(300) })).rejects.toSatisfy(
      code('TIMEOUT')
    )
    await new Promise((resolve) => void server.close(resolve))
    expect(connections).toBe(0)
  })
})

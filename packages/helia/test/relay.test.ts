import { circuitRelayTransport } from '@libp2p/circuit-relay-v2'
import { identify } from '@libp2p/identify'
import { noise } from '@libp2p/noise'
import { webSockets } from '@libp2p/websockets'
import { yamux } from '@libp2p/yamux'
import { multiaddr } from '@multiformats/multiaddr'
import { until } from '@p2pl/tooling-vitest'
import { createLibp2p, type Libp2p } from 'libp2p'
import { afterEach, describe, expect, test } from 'vitest'
import { engineOf, selfOf, started } from './helper.ts'

const clients = new Set<Libp2p>()

afterEach(async () => {
  await Promise.all([...clients].map(async (one) => await one.stop()))
  clients.clear()
})

/** Plain libp2p that wants a slot at the relay, as a page does. */
async function client(relay: string): Promise<Libp2p> {
  const node = await createLibp2p({
    addresses: { listen: ['/p2p-circuit'] },
    transports: [webSockets(), circuitRelayTransport()],
    connectionEncrypters: [noise()],
    streamMuxers: [yamux()],
    connectionGater: { denyDialMultiaddr: () => false },
    services: { identify: identify() }
  })
  clients.add(node)
  await node.dial(multiaddr(relay))
  return node
}

function hasSlot(node: Libp2p): boolean {
  return node.getMultiaddrs().some((address) => address.toString().includes('/p2p-circuit'))
}

describe('a relay', () => {
  test('has a slot for those who are connected, and for nobody else', async () => {
    const relay = await started({ listen: ['/ip4/127.0.0.1/tcp/0/ws'], relay: { reservations: 1 } })
    const address = selfOf(relay).addresses[0] as string
    // More than there are slots, one after the other: whoever leaves makes room.
    for (let i = 0; i < 3; i++) {
      const node = await client(address)
      await until('it has a slot', () => hasSlot(node))
      const refused = await client(address)
      await until('the other is there', () => withoutSlot(engineOf(relay).libp2p) > 0)
      expect(hasSlot(refused)).toBe(false)
      await Promise.all([node.stop(), refused.stop()])
      await until('both are gone', () => engineOf(relay).libp2p.getConnections().length === 0)
    }
  })

  test('is not there unless it is asked for', async () => {
    const node = await started({ listen: ['/ip4/127.0.0.1/tcp/0/ws'] })
    expect(
      engineOf(node)
        .libp2p.getProtocols()
        .some((name) => name.includes('/circuit/'))
    ).toBe(false)
  })
})

/** How many are connected without a slot. */
function withoutSlot(relay: Libp2p | undefined): number {
  if (relay === undefined) throw new Error('the relay does not run')
  const { reservations } = (relay.services as { relay: { reservations: ReadonlyMap<unknown, unknown> } }).relay
  return relay.getConnections().length - reservations.size
}

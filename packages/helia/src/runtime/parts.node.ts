import type { Libp2pOptions } from 'libp2p'
import { P2plError } from '@p2pl/core/backend'
import type { Settings } from '../options/settings.ts'
import { swarmKey } from '../options/swarm-key.ts'
import type { Parts } from './parts.ts'
import { boundSilent } from './silent-sockets.ts'

/** TCP and WebSockets, multicast DNS, private networks, and the relay for browsers. */
export async function loadParts(settings: Settings): Promise<Parts> {
  const [transports, peerDiscovery, connectionProtector, relay] = await Promise.all([
    loadTransports(settings),
    loadDiscovery(settings),
    loadProtector(settings),
    settings.relay === undefined ? undefined : import('../engine/relay.ts')
  ])
  return {
    transports,
    // The muxer of its connections does that.
    connectionMonitor: { enabled: false },
    peerDiscovery,
    ...(connectionProtector === undefined ? {} : { connectionProtector }),
    ...(relay === undefined || settings.relay === undefined
      ? {}
      : { services: { relay: relay.relayService(settings.relay) } })
  }
}

async function loadTransports({ listen, profile }: Settings): Promise<NonNullable<Libp2pOptions['transports']>> {
  const { tcp } = await import('@libp2p/tcp')
  const transports: NonNullable<Libp2pOptions['transports']> = [tcp()]
  const isWebSocket = listen.some((address) =>
    address.getComponents().some(({ name }) => name === 'ws' || name === 'wss')
  )
  // Some peers may be reachable by WebSocket only (relays of browsers). In public the node must be able to dial them.
  if (isWebSocket || profile === 'public') {
    const { webSockets } = await import('@libp2p/websockets')
    transports.push(boundSilent(webSockets()))
  }
  return transports
}

async function loadProtector({ psk }: Settings): Promise<Libp2pOptions['connectionProtector']> {
  if (psk === undefined) return undefined
  const { preSharedKey } = await import('@libp2p/pnet')
  return preSharedKey({ psk: typeof psk === 'string' ? await readSwarmKey(psk) : psk })
}

async function readSwarmKey(path: string): Promise<Uint8Array> {
  const { readFile } = await import('node:fs/promises')
  try {
    return swarmKey(await readFile(path, 'utf8'))
  } catch (cause) {
    throw new P2plError({
      code: 'INVALID_ARGUMENT',
      cause,
      message: `helia: psk names ${path}, which is not a readable swarm.key`
    })
  }
}

async function loadDiscovery({ mdns: serviceTag }: Settings): Promise<NonNullable<Libp2pOptions['peerDiscovery']>> {
  if (serviceTag === undefined) return []
  const { mdns } = await import('@libp2p/mdns')
  return [mdns({ serviceTag, interval: 5_000 })]
}

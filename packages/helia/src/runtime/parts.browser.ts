import type { Libp2pOptions } from 'libp2p'
import type { Multiaddr } from '@multiformats/multiaddr'
import type { Settings } from '../options/settings.ts'
import { pageLinks } from './page-links.ts'
import type { Parts } from './parts.ts'

/** WebSockets to Node; WebRTC to other browsers, signalled through a relay. */
export async function loadParts(settings: Settings): Promise<Parts> {
  const [{ webSockets }, { webRTC }, { circuitRelayTransport }, connectionProtector] = await Promise.all([
    import('@libp2p/websockets'),
    import('@libp2p/webrtc'),
    import('@libp2p/circuit-relay-v2'),
    loadProtector(settings)
  ])
  return {
    transports: [webSockets(), circuitRelayTransport(), webRTC({ rtcConfiguration: () => rtcConfiguration(settings) })],
    // WebRTC has its own muxer. A half-open connection is noticed within about eight seconds.
    connectionMonitor: { pingInterval: 3_000, pingTimeout: { minTimeout: 5_000, maxTimeout: 10_000 } },
    peerDiscovery: [],
    announceFilter: (addresses) => addresses.filter(isReachable),
    services: { pageLinks },
    ...(connectionProtector === undefined ? {} : { connectionProtector })
  }
}

async function loadProtector({ psk }: Settings): Promise<Libp2pOptions['connectionProtector']> {
  if (psk === undefined) return undefined
  const { preSharedKey } = await import('@libp2p/pnet')
  return preSharedKey({ psk: psk as Uint8Array })
}

/** Without a setting the engine uses STUN servers of third parties. Only the profile `public` allows that. */
function rtcConfiguration({ iceServers, profile }: Settings): RTCConfiguration {
  if (iceServers !== undefined) return { iceServers: iceServers.map((server) => ({ ...server }) as RTCIceServer) }
  return profile === 'public' ? {} : { iceServers: [] }
}

const byPages = new Set(['ws', 'wss', 'webrtc-direct', 'webtransport'])

/** Only pages can dial a page, by WebRTC, and only through a relay that they can reach. */
function isReachable(address: Multiaddr): boolean {
  const names = address.getComponents().map(({ name }) => name)
  return !names.includes('p2p-circuit') || (names.includes('webrtc') && names.some((name) => byPages.has(name)))
}

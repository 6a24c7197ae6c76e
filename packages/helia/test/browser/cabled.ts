// Runs inside of a browser page.
import type { Place } from './cable.ts'

declare const packetsTo: (place: Place) => Promise<number>

/** To be called before anything starts: what the page sends goes through the cable of the test. `ports`: where a port of a node is there. */
export function beCabled(ports: Readonly<Record<string, number>>): void {
  globalThis.RTCPeerConnection = CabledConnection
  globalThis.WebSocket = class extends WebSocket {
    constructor(url: string | URL, protocols?: string | string[]) {
      const cabled = new URL(url)
      cabled.port = String(ports[cabled.port] ?? cabled.port)
      super(cabled, protocols)
    }
  }
}

/** Sees the other page at the end of the cable. */
class CabledConnection extends RTCPeerConnection {
  override async addIceCandidate(candidate?: RTCIceCandidateInit | null): Promise<void> {
    const parts = candidate?.candidate?.split(' ') ?? []
    const [, , transport = '', , address = '', port = ''] = parts
    if (transport.toLowerCase() !== 'udp' || !address.includes('.')) return
    parts.splice(4, 2, '127.0.0.1', String(await packetsTo({ address, port: Number(port) })))
    const { sdpMid = null, sdpMLineIndex = null } = candidate ?? {}
    await super.addIceCandidate({ candidate: parts.join(' '), sdpMid, sdpMLineIndex })
  }
}

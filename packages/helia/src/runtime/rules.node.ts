import { P2plError } from '@p2pl/core/backend'
import type { Profile } from '@p2pl/embedded'
import type { HeliaOptions } from '../options/types.ts'
import type { Refusal } from './refusal.ts'

export function defaultListen(profile: Profile): readonly string[] {
  return [profile === 'closed' ? '/ip4/127.0.0.1/tcp/0' : '/ip4/0.0.0.0/tcp/0']
}

/** Refuses options that work only in a browser. */
export function refusal({ iceServers, listen, relay }: HeliaOptions): Refusal | undefined {
  if (iceServers !== undefined)
    return { key: 'iceServers', message: 'is for browsers: there is no WebRTC in Node, leave it out' }
  const addresses = Array.isArray(listen) ? listen.map(String) : []
  const own = addresses.find((address) => /\/(?:p2p-circuit|webrtc)(?:\/|$)/.test(address))
  if (own !== undefined)
    return { key: 'listen', message: `has ${own}, which only a browser listens on: name a TCP or WebSocket address` }
  if (relay !== undefined && relay !== false && !addresses.some((address) => /\/wss?(?:\/|$)/.test(address)))
    return {
      key: 'relay',
      message:
        'needs a WebSocket address in "listen", such as /ip4/127.0.0.1/tcp/0/ws: browsers have no other way to it'
    }
  return undefined
}

/** Whether others can ask this node for records. */
export const servesRecords: boolean = true

/** Throws on a runtime in which the engine is known not to work. */
export function refuseRuntime(): void {
  const { bun } = process.versions
  if (bun === undefined) return
  const message = `helia does not run in Bun (this is ${bun}): its sockets stall on blocks above 16 kB. Use Node 22.19 or newer, or Deno`
  throw new P2plError({ code: 'UNSUPPORTED', message })
}

import type { Profile } from '@p2pl/embedded'
import type { HeliaOptions } from '../options/types.ts'
import type { Refusal } from './refusal.ts'

/** Other browsers can reach these: a slot at a relay, and WebRTC that is signalled through it. */
export function defaultListen(_profile: Profile): readonly string[] {
  return ['/p2p-circuit', '/webrtc']
}

/** Refuses options that work only in Node. */
export function refusal(options: HeliaOptions): Refusal | undefined {
  const { listen, psk, mdns, dht, relay, durability } = options
  const socket = Array.isArray(listen)
    ? listen.find((address) => !/\/(?:p2p-circuit|webrtc)$/.test(String(address)))
    : undefined
  if (socket !== undefined)
    return {
      key: 'listen',
      message: `has ${String(socket).slice(0, 80)}, but a page cannot listen on sockets: leave it out, and others reach the page through a relay in "bootstrap"`
    }
  if (typeof psk === 'string' && !psk.includes('\n'))
    return { key: 'psk', message: 'cannot be the path of a file here: give its text, or 32 bytes' }
  if (mdns !== undefined && mdns !== false)
    return { key: 'mdns', message: 'needs multicast, which pages do not have: name a way in by "bootstrap"' }
  if (dht === 'server')
    return { key: 'dht', message: "cannot be 'server': those who ask could not reach a page; use 'client'" }
  if (relay !== undefined && relay !== false)
    return { key: 'relay', message: 'is for Node: a page cannot be reached by others on its own' }
  if (durability === 'power')
    return { key: 'durability', message: "cannot be 'power': browsers do not tell when the disk has it; use 'process'" }
  return undefined
}

/** Whether others can ask this node for records. */
export const servesRecords: boolean = false

/** Every browser is supported. */
export function refuseRuntime(): void {}

import { isP2plError } from '@p2pl/core/backend'
import { describe, expect, test } from 'vitest'
import { helia, type HeliaOptions } from '../src/index.ts'
import { resolveOptions } from '../src/options/settings.ts'

const key = 'ab'.repeat(32)
const swarmKey = `/key/swarm/psk/1.0.0/\n/base16/\n${key}\n`

describe('options', () => {
  test.each<[string, unknown]>([
    ['profil', { profil: 'closed' }],
    ['profile', { profile: 'open' }],
    ['dir', { dir: '' }],
    ['durability', { durability: 'power' }],
    ['durability', { durability: 'always', dir: 'x' }],
    ['listen', { listen: '/ip4/127.0.0.1/tcp/0' }],
    ['listen[1]', { listen: ['/ip4/127.0.0.1/tcp/0', '127.0.0.1:4001'] }],
    ['bootstrap[0]', { bootstrap: ['/ip4/127.0.0.1/tcp/4001'] }],
    ['psk', { psk: new Uint8Array(31) }],
    ['psk', { psk: `/key/swarm/psk/1.0.0/\n/base16/\n${key}00` }],
    ['mdns', { mdns: 'my network' }],
    ['dht', { dht: true }],
    ['signing', { signing: 'lax' }],
    ['lowResource', { lowResource: 1 }],
    ['gossip.degree', { gossip: { degree: 1 } }],
    ['gossip.beat', { gossip: { beat: 1 } }],
    ['connections.high', { connections: { high: 0 } }],
    ['connections.low', { connections: { low: 10, high: 5 } }],
    ['relay', { relay: true }],
    ['relay', { relay: true, listen: ['/ip4/127.0.0.1/tcp/0'] }],
    ['relay.reservations', { relay: { reservations: 0 }, listen: ['/ip4/127.0.0.1/tcp/0/ws'] }],
    ['iceServers', { iceServers: [{ urls: 'stun:stun.example.net' }] }],
    ['listen', { listen: ['/p2p-circuit'] }],
    ['listen', { listen: ['/webrtc'] }],
    ['passthrough.tcp', { passthrough: { tcp: {} } }]
  ])('names the wrong key %s', (name, options) => {
    let error: unknown
    try {
      helia(options as HeliaOptions)
    } catch (thrown) {
      error = thrown
    }
    expect(isP2plError(error, 'INVALID_ARGUMENT')).toBe(true)
    for (const part of name.split('.')) expect((error as Error).message).toContain(part)
    // A secret never gets into a message.
    expect((error as Error).message).not.toContain(key)
  })

  test('a key is taken as bytes, as the text of a swarm.key and as a path', () => {
    const bytes = Uint8Array.from({ length: 32 }, () => 0xab)
    const expected = new TextEncoder().encode(swarmKey.trimEnd())
    expect(resolveOptions({ psk: bytes }).psk).toEqual(expected)
    expect(resolveOptions({ psk: swarmKey }).psk).toEqual(expected)
    expect(resolveOptions({ psk: new TextEncoder().encode(swarmKey) }).psk).toEqual(expected)
    expect(resolveOptions({ psk: '/etc/swarm.key' }).psk).toBe('/etc/swarm.key')
  })

  test('nothing is listened on or dialled beyond loopback by default', () => {
    const settings = resolveOptions()
    expect(settings.listen.map(String)).toEqual(['/ip4/127.0.0.1/tcp/0'])
    expect(settings.bootstrap).toEqual([])
    expect(settings.mdns).toBeUndefined()
  })

  test('the capabilities follow the options', () => {
    expect(helia().capabilities.blocks?.persistence).toBe('none')
    expect(helia({ dir: 'unused' }).capabilities.blocks?.persistence).toBe('process')
    expect(helia({ dir: 'unused', durability: 'power' }).capabilities.blocks?.persistence).toBe('power')
    expect(helia({ dht: false }).capabilities.routing?.provide).toBe('none')
    expect(helia({ signing: 'none' }).capabilities.messages?.sender).toBe('none')
    expect(helia().capabilities.messages?.pacing).toBe(0)
    expect(helia({ profile: 'lan' }).capabilities.messages?.pacing).toBe(20)
    expect(helia({ gossip: { pacing: 25 } }).capabilities.messages?.pacing).toBe(25)
  })
})

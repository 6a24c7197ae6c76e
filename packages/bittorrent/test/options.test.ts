import { isP2plError } from '@p2pl/core/backend'
import { describe, expect, test } from 'vitest'
import { formatAddress, parseAddress } from '../src/tools/address.ts'
import { bittorrent, type BittorrentOptions } from '../src/index.ts'

describe('options', () => {
  test.each<[string, unknown]>([
    ['profil', { profil: 'closed' }],
    ['profile', { profile: 'open' }],
    ['dir', { dir: '' }],
    ['durability', { durability: 'power' }],
    ['host', { host: '0.0.0.0' }],
    ['host', { host: 'localhost' }],
    ['host', { host: '127.0.0.300' }],
    ['port', { port: 65_536 }],
    ['dhtPort', { dhtPort: -1 }],
    ['announce[0]', { announce: ['127.0.0.1'] }],
    ['dht', { dht: 'server' }],
    ['bootstrap', { bootstrap: ['router.bittorrent.com:6881'] }],
    ['bootstrap[1]', { bootstrap: ['127.0.0.1:1', '127.0.0.1:0'] }],
    ['bootstrap', { profile: 'lan', bootstrap: ['8.8.8.8:6881'] }],
    ['trackers[0]', { trackers: ['http://tracker.example.org/announce'] }],
    ['trackers[0]', { trackers: ['wss://127.0.0.1'] }],
    ['trackers[0]', { trackers: ['udp://127.0.0.1'] }],
    ['peers', { peers: '127.0.0.1:6881' }],
    ['maxConnections', { maxConnections: 7 }],
    ['degree', { degree: 1 }]
  ])('names the wrong key %s', (name, options) => {
    let error: unknown
    try {
      bittorrent(options as BittorrentOptions)
    } catch (thrown) {
      error = thrown
    }
    expect(isP2plError(error, 'INVALID_ARGUMENT')).toBe(true)
    expect((error as Error).message).toContain(name)
  })

  test('an error repeats no address of a tracker, which may hold a passkey', () => {
    const wrong = (): unknown => bittorrent({ trackers: ['udp://127.0.0.1/announce?passkey=f00d'] })
    expect(wrong).toThrow('must look like http://host:port/announce')
    expect(wrong).not.toThrow('f00d')
  })

  test('what cannot be met anywhere is not declared', () => {
    const { routing } = bittorrent({ dht: false }).capabilities
    expect(routing).toMatchObject({ provide: 'none', unprovide: 'none', findProviders: 'none', connect: 'native' })
    expect(bittorrent({ dht: false, trackers: ['udp://127.0.0.1:1'] }).capabilities.routing?.provide).toBe('native')
  })
})

test.each(['127.0.0.1:80', '[::1]:6881', 'router.example.org:6881'])('%s is an address', (text) => {
  const address = parseAddress(text)
  expect(address === undefined ? undefined : formatAddress(address)).toBe(text)
})

test.each([
  '',
  ':1',
  '127.0.0.1',
  '127.0.0.1:0',
  '127.0.0.1:65536',
  '1.2.3:4',
  '999.1.1.1:5',
  '[1.2.3.4]:5',
  '-x:1',
  'a b:1',
  '/ip4/1:2'
])('"%s" is no address', (text) => {
  expect(parseAddress(text)).toBeUndefined()
})

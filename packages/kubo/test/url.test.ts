import { expect, it } from 'vitest'
import { Kubo, type KuboOptions } from '../src/index.ts'
import { parseTarget } from '../src/rpc/target.ts'
import { redirectTarget } from '../src/rpc/url.ts'

const origin = (url: string): string => parseTarget({ url }).origin

it('reads the address in every usual form', () => {
  expect(origin('http://127.0.0.1:5001')).toBe('http://127.0.0.1:5001')
  expect(origin('/ip4/127.0.0.1/tcp/5001')).toBe('http://127.0.0.1:5001')
  expect(origin('/ip6/::1/tcp/5001/http')).toBe('http://[::1]:5001')
  expect(origin('/dns4/example.org/tcp/443/https')).toBe('https://example.org')
  expect(parseTarget({ url: '/unix/run/ipfs/api.sock' }).socketPath).toBe('/run/ipfs/api.sock')
  expect(parseTarget({ url: 'unix:///run/ipfs/api.sock' }).socketPath).toBe('/run/ipfs/api.sock')
  expect(parseTarget({ url: 'https://example.org/prefix/' }).basePath).toBe('/prefix/api/v0/')
  expect(parseTarget({ url: 'https://example.org/api/v0' }).basePath).toBe('/api/v0/')
})

it('refuses wrong options and says what is allowed', () => {
  const wrong: KuboOptions[] = [
    { url: 'ftp://127.0.0.1' },
    { url: 'nonsense' },
    { headers: { 'bad name': 'x' } },
    { authorization: { bearer: 'a\r\nb' } },
    { authorization: { bearer: 'žluťoučký' } },
    { timeout: 0 },
    { url: 'http://127.0.0.1:1', daemon: { repo: 'x' } },
    { daemon: { repo: '' } },
    { daemon: { repo: 'x', swarmKey: 'short' } },
    { daemon: { repo: 'x', connections: { low: 5, high: 2 } } },
    { uri: 'x' } as KuboOptions
  ]
  for (const options of wrong)
    expect(() => new Kubo(options), JSON.stringify(options)).toThrow(
      expect.objectContaining({
        code: 'INVALID_ARGUMENT',
        message: expect.stringMatching(/"|option|must be/) as unknown
      })
    )
})

it('never quotes an address that may hold a secret', () => {
  const secrets = [
    'http://ada:s3cret@127.0.0.1:5001',
    'http://ada:s3cret@host:port',
    'http://ada:s3cret@127.0.0.1:99999',
    'http//ada:s3cret@host',
    'ada:s3cret@host:5001',
    's3cret:x@host',
    'ftp://ada:s3cret@host',
    'http://ho st/?token=s3cret',
    'ws://host/?token=s3cret',
    '/ip4/127.0.0.1/tcp/5001#s3cret@'
  ]
  for (const url of secrets)
    expect(() => new Kubo({ url }), url).toThrow(
      expect.objectContaining({ message: expect.not.stringMatching(/s3cret|ada/) as unknown })
    )
  expect(() => new Kubo({ url: 'http://ada:s3cret@h' })).toThrow(/"authorization": \{ basic/)
})

it('names the target of a redirect without credentials and without the path of the call', () => {
  expect(redirectTarget('https://ada:s3cret@host:8443/ipfs/api/v0/id?token=s3cret', 'http://host')).toBe(
    'https://host:8443/ipfs'
  )
  expect(redirectTarget('/login?next=/api/v0/id', 'http://host:5001')).toBe('http://host:5001/login')
  expect(redirectTarget('javascript:alert(1)', 'http://host')).toBeUndefined()
  expect(redirectTarget('http://[', 'http://host')).toBeUndefined()
})

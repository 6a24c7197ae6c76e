import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { describe, expect, it } from 'vitest'
import { createBackends, loadConfig } from '../src/index.ts'
import { adapterSource, folderWith, messageOf } from './support.ts'

const none = {}
const blocks =
  "{ blocks: { maxBlockBytes: 2e6, persistence: 'none', remote: false, keepsFetched: false, pins: 'none', gc: 'none', hashes: [18] } }"

describe('a list of adapters', () => {
  it('is the first with its fallbacks, by names, with options, or as text with commas', async () => {
    const fallbacks = [{ use: 'bittorrent', options: {} }]
    const load = async (text: string): Promise<unknown> =>
      (await loadConfig({ cwd: folderWith({ 'p2pl.config.yaml': text }), env: none })).messages
    expect(await load('backend: [helia, "@p2pl/bittorrent"]')).toEqual({ use: 'helia', options: {}, fallbacks })
    expect(await load('messages: helia, bittorrent')).toEqual({ use: 'helia', options: {}, fallbacks })
    expect(await load('messages: [{ use: helia, options: { profile: lan } }, bittorrent]')).toEqual({
      use: 'helia',
      options: { profile: 'lan' },
      fallbacks
    })
    const { messages, data } = await loadConfig({ env: { P2PL_MESSAGES: 'helia,ipfs-rpc' }, file: false })
    expect([messages.fallbacks?.length, data]).toEqual([1, { use: 'helia', options: {} }])
  })

  it('of one is that one', async () => {
    const { data } = await loadConfig({ env: none, file: false, overrides: { backend: ['memory'] } })
    expect(data).toEqual({ use: 'memory', options: {} })
  })

  it('keeps the options that weaker sources give the same adapters, in any order', async () => {
    const cwd = folderWith({
      'p2pl.config.yaml':
        'backend: [{ use: helia, options: { profile: lan } }, { use: ipfs-rpc, options: { url: a } }, { use: ipfs-rpc, options: { url: b } }]'
    })
    const warnings: string[] = []
    const load = async (backend: string): Promise<unknown> =>
      (await loadConfig({ cwd, env: none, overrides: { backend }, onWarning: (text) => warnings.push(text) })).data
    expect(await load('ipfs-rpc,helia,ipfs-rpc')).toEqual({
      use: 'ipfs-rpc',
      options: { url: 'a' },
      fallbacks: [
        { use: 'helia', options: { profile: 'lan' } },
        { use: 'ipfs-rpc', options: { url: 'b' } }
      ]
    })
    expect(warnings).toEqual([])
    expect(await load('helia')).toEqual({ use: 'helia', options: { profile: 'lan' } })
    expect(warnings).toEqual([
      'backend.1.options.url of p2pl.config.yaml has no effect: the adapter that it is for is replaced by the application or its command line',
      'backend.2.options.url of p2pl.config.yaml has no effect: the adapter that it is for is replaced by the application or its command line'
    ])
  })

  it('takes paths relative to where they stand', async () => {
    const cwd = folderWith({ 'p2pl.config.json': '{ "backend": ["./a,b.js", "memory"] }' })
    const { data } = await loadConfig({ cwd, env: none })
    expect(data.use).toBe(pathToFileURL(join(cwd, 'a,b.js')).href)
  })

  it.each([
    ['{"backend":[]}', 'backend: must not be an empty list'],
    ['{"backend":[7]}', 'backend.0: must be a name, or an object with use and options'],
    ['{"backend":[{"usee":"helia"}]}', 'backend.0.usee: unknown key. Did you mean "use"? Known here: use, options'],
    ['{"data":["helia",{"options":{}}]}', 'data.options: several adapters are chosen'],
    ['{"backend":"helia,"}', 'backend.1.use is missing: name the adapter'],
    [`{"backend":[${'"memory",'.repeat(8)}"memory"]}`, 'backend: must have at most 8 entries']
  ])('that is wrong is named: %s', async (text, message) => {
    expect(await messageOf(loadConfig({ cwd: folderWith({ 'p2pl.config.json': text }), env: none }))).toContain(message)
  })

  it('in a variable has no variables for options beside it', async () => {
    const env = { P2PL_BACKEND: 'helia,bittorrent', P2PL_BACKEND__OPTIONS__PROFILE: 'lan' }
    expect(await messageOf(loadConfig({ file: false, env }))).toContain(
      'P2PL_BACKEND names several adapters: write it as a JSON list of { "use", "options" }'
    )
    const list = '[{"use":"helia","options":{"profile":"lan"}},"bittorrent"]'
    expect((await loadConfig({ file: false, env: { P2PL_BACKEND: list } })).data).toMatchObject({
      options: { profile: 'lan' },
      fallbacks: [{ use: 'bittorrent' }]
    })
  })
})

describe('createBackends with a list', () => {
  const given = (backend: { self(): readonly { addresses: readonly string[] }[] }): unknown[] =>
    backend.self().map(({ addresses }) => JSON.parse(addresses[0] ?? '') as unknown)

  it('makes a failover in this order, each with a folder of its own', async () => {
    const source = (name: string): string =>
      `${adapterSource(name).replace("{ runtimes: ['node'] }", blocks)}export const placement = ['dir', 'listen']`
    const cwd = folderWith({
      'a.js': source('a'),
      'b.js': source('b'),
      'package.json': '{"type":"module"}'
    })
    const config = await loadConfig({ cwd, env: none, overrides: { backend: ['./a.js', './b.js'] } })
    const backends = await createBackends(config, { dir: '/x', listen: ['here'] })
    if (!('backend' in backends)) throw new Error('messages and data are one backend')
    const { backend } = backends
    expect(backend.name).toBe('failover(a,b)')
    await backend.start()
    const [a, b] = given(backend) as { dir: string; listen?: unknown }[]
    expect([a?.dir, b?.dir].map((dir) => dir?.slice(0, 3))).toEqual(['/x/', '/x/'])
    expect(a?.dir).not.toBe(b?.dir)
    expect([a?.listen, b?.listen]).toEqual([['here'], undefined])
    await backend.stop()
  })

  it('gives each engine the addresses of its form', async () => {
    const config = await loadConfig({ env: none, file: false, overrides: { backend: 'helia,bittorrent' } })
    const made = await createBackends(config, { listen: ['/ip4/127.0.0.1/tcp/0', '127.0.0.1:0'] })
    expect('backend' in made && made.backend.name).toBe('failover(helia,bittorrent)')
    await expect(
      createBackends(await loadConfig({ env: none, file: false, overrides: { backend: 'memory,memory' } }), {
        listen: ['x']
      })
    ).rejects.toMatchObject({
      code: 'INVALID_ARGUMENT',
      message: 'no adapter among "memory", "memory" listens on "x": give each address in the form of its engine'
    })
  })

  it('names the adapter of the list that is missing', async () => {
    const config = await loadConfig({ env: none, file: false, overrides: { backend: 'memory,heila' } })
    expect(await messageOf(createBackends(config))).toContain('there is no adapter "heila". Did you mean "helia"?')
  })
})

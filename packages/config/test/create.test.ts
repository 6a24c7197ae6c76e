import { spawnSync } from 'node:child_process'
import type { Backend } from '@p2pl/core'
import { describe, expect, it } from 'vitest'
import { type Backends, createBackends, loadConfig, type LoadOptions } from '../src/index.ts'
import { installCommand } from '../src/install.ts'
import { adapterSource, folderWith, messageOf } from './support.ts'

async function create(options: LoadOptions): Promise<Backends> {
  return await createBackends(await loadConfig({ env: {}, ...options }))
}

async function one(options: LoadOptions): Promise<Backend> {
  const made = await create(options)
  if (!('backend' in made)) throw new Error('expected one backend')
  return made.backend
}

const module = '{"type":"module"}'

describe('known adapters', () => {
  it('come by their short name', async () => {
    const backend = await one({ file: false, env: { P2PL_BACKEND: 'memory' } })
    expect(backend.name).toBe('memory')
    await backend.start()
    await backend.stop()
  })

  it('come by the name of their package, too', async () => {
    expect((await one({ file: false, env: { P2PL_BACKEND: '@p2pl/memory' } })).name).toBe('memory')
    const both = { P2PL_MESSAGES: '@p2pl/memory', P2PL_DATA: 'memory' }
    expect((await one({ file: false, env: both })).name).toBe('memory')
  })

  it('are helia by default', async () => {
    expect((await one({ cwd: folderWith() })).name).toBe('helia')
  })
})

describe('adapters of others', () => {
  it.each([
    ['a named export', adapterSource('third'), { 'index.js': '' }],
    ['a default export', adapterSource('third', 'export default'), {}]
  ])('come by the name of their module, as %s', async (_, source, more) => {
    const cwd = folderWith({
      'package.json': module,
      'node_modules/third-party/package.json': '{"type":"module","exports":{".":{"import":"./main.js"}}}',
      'node_modules/third-party/main.js': source,
      'p2pl.config.yaml': 'backend: { use: third-party, options: { a: 1 } }',
      ...more
    })
    const backend = await one({ cwd })
    expect([backend.name, backend.self()[0]?.addresses]).toEqual(['third', ['{"a":1}']])
  })

  it('come with a scope and a subpath', async () => {
    const cwd = folderWith({
      'node_modules/@some/thing/package.json':
        '{"type":"module","exports":{"./p2p":{"import":{"default":"./p2p.js"}}}}',
      'node_modules/@some/thing/p2p.js': adapterSource('scoped')
    })
    expect((await one({ cwd, env: { P2PL_BACKEND: '@some/thing/p2p' } })).name).toBe('scoped')
  })

  it('come as a file next to the configuration', async () => {
    const cwd = folderWith({
      'package.json': module,
      'mine.ts': adapterSource('mine').replace('(options)', '(options: object)'),
      'p2pl.config.json': '{"backend":"./mine.ts"}'
    })
    expect((await one({ cwd })).name).toBe('mine')
  })

  it('may differ for messages and data, and are one where they are equal', async () => {
    const cwd = folderWith({
      'package.json': module,
      'a.js': adapterSource('a'),
      'b.js': adapterSource('b'),
      'p2pl.config.json': '{"messages":"./a.js","data":"./b.js"}'
    })
    const made = await create({ cwd })
    expect('messages' in made && [made.messages.name, made.data.name]).toEqual(['a', 'b'])
    expect((await one({ cwd, env: { P2PL_DATA: './a.js' } })).name).toBe('a')
    const options = await create({ cwd, env: { P2PL_DATA: './a.js', P2PL_DATA__OPTIONS__X: '1' } })
    expect('messages' in options).toBe(true)
  })
})

describe('layers', () => {
  const flaky = `let calls = 0
    export const backend = () => ({ name: 'flaky', capabilities: { runtimes: ['node'], routing: {} },
      start: async () => {}, stop: async () => {}, self: () => ({ id: '', addresses: [] }),
      routing: { connections: async (options) => {
        calls++
        if (options?.signal === undefined && globalThis.p2plTestHang) throw new Error('no timeout')
        if (globalThis.p2plTestHang) await new Promise(() => {})
        if (calls % 3 !== 0) throw Object.assign(new Error('gone'),
          { [Symbol.for('@p2pl/error/1')]: true, code: 'UNREACHABLE', retryable: true })
        return []
      } } })`
  it('retry as configured, or not at all', async () => {
    const cwd = folderWith({ 'package.json': module, 'flaky.js': flaky })
    const env = { P2PL_BACKEND: './flaky.js', P2PL_RETRY__BASE_DELAY: '0' }
    expect(await (await one({ cwd, env })).routing?.connections()).toEqual([])
    const bare = await one({ cwd, env: { P2PL_BACKEND: './flaky.js', P2PL_RETRY: 'false' } })
    await expect(bare.routing?.connections()).rejects.toThrow('gone')
  })

  it('end what hangs', async () => {
    const cwd = folderWith({ 'package.json': module, 'flaky.js': flaky })
    const env = { P2PL_BACKEND: './flaky.js', P2PL_RETRY: 'false', P2PL_TIMEOUT__ROUTING: '1' }
    const backend = await one({ cwd, env })
    Object.assign(globalThis, { p2plTestHang: true })
    try {
      await expect(backend.routing?.connections()).rejects.toMatchObject({ code: 'TIMEOUT' })
    } finally {
      Object.assign(globalThis, { p2plTestHang: false })
    }
  })
})

describe('what is missing', () => {
  it("is named, and no command installs what may be a stranger's package", async () => {
    const cwd = folderWith({ 'pnpm-lock.yaml': '', 'p2pl.config.json': '{"backend":"some-adapter/sub"}' })
    await expect(create({ cwd })).rejects.toMatchObject({ code: 'MISSING_DEPENDENCY', retryable: false })
    for (const name of [
      'some-adapter/sub',
      'heila',
      'kubo',
      'ipfs',
      '@p2pl/hela',
      '@p2pl/nonsense',
      'http',
      'node:net'
    ]) {
      const message = await messageOf(create({ cwd, env: { P2PL_BACKEND: name } }))
      expect(message, name).toContain('helia, memory, ipfs-rpc, bittorrent')
      expect(message, name).not.toMatch(/install "|run "|npm install|pnpm add/)
    }
  })

  it.each([
    ['hela', '"helia"'],
    ['heila', '"helia"'],
    ['Helia', '"helia"'],
    ['@p2pl/heila', '"helia"'],
    ['kubo', '"ipfs-rpc"'],
    ['ipfs', '"ipfs-rpc" or "helia"'],
    ['ipfs_rpc', '"ipfs-rpc"'],
    ['ipfs-rcp', '"ipfs-rpc"'],
    ['go-ipfs', '"ipfs-rpc"'],
    ['bitorrent', '"bittorrent"'],
    ['torrent', '"bittorrent"'],
    ['memroy', '"memory"']
  ])('is named with the adapter that was probably meant: %s', async (name, meant) => {
    expect(await messageOf(create({ file: false, env: { P2PL_BACKEND: name } }))).toBe(
      `there is no adapter "${name}". Did you mean ${meant}? This project has helia, memory, ipfs-rpc, bittorrent`
    )
  })

  it('is named with the adapter that was meant, also where a package of that name is installed', async () => {
    const cwd = folderWith({
      'node_modules/kubo/package.json': '{"type":"module","exports":{".":{"import":"./main.js"}}}',
      'node_modules/kubo/main.js': 'export const path = () => "/bin/ipfs"',
      'node_modules/webtorrent/package.json': '{"type":"module","exports":{".":{"import":"./main.js"}}}',
      'node_modules/webtorrent/main.js': 'export default class {}',
      'node_modules/libp2p/package.json': '{"type":"module","exports":{".":{"import":"./main.js"}}}',
      'node_modules/libp2p/main.js': 'export default async () => ({ name: "not a backend" })'
    })
    for (const [name, meant] of [
      ['kubo', 'ipfs-rpc'],
      ['webtorrent', 'bittorrent'],
      ['libp2p', 'helia']
    ] as const)
      await expect(create({ cwd, env: { P2PL_BACKEND: name } })).rejects.toMatchObject({
        code: 'INVALID_ARGUMENT',
        message: expect.stringContaining(`Did you mean "${meant}"?`) as string
      })
  })

  it('is not shown where it may be a secret', async () => {
    const message = await messageOf(create({ file: false, env: { P2PL_BACKEND: 'https://user:s3cret@host/' } }))
    expect(message).not.toContain('s3cret')
    expect(message).toContain('neither a known one (helia, memory, ipfs-rpc, bittorrent)')
  })

  it('is a file, and is named as it is written', async () => {
    const cwd = folderWith({ 'p2pl.config.json': '{"backend":"./my adapter.js"}' })
    await expect(create({ cwd })).rejects.toMatchObject({
      code: 'INVALID_ARGUMENT',
      message: expect.stringContaining(`there is no adapter "my adapter.js" in ${cwd}/: `) as string
    })
    const broken = { file: false as const, env: { P2PL_BACKEND: 'file:///%zz' } }
    await expect(create(broken)).rejects.toMatchObject({ code: expect.any(String) as string })
  })

  it('says why a package of TypeScript does not run', async () => {
    const cwd = folderWith({
      'node_modules/typed/package.json': '{"type":"module","exports":"./main.ts"}',
      'node_modules/typed/main.ts': adapterSource('typed').replace('(options)', '(options: object)')
    })
    // Vitest itself strips types everywhere.
    const script = `import { createBackends, loadConfig } from '@p2pl/config'
      await createBackends(await loadConfig({ cwd: ${JSON.stringify(cwd)}, env: {}, overrides: { backend: 'typed' } }))`
    const args = ['-C', '@p2pl/source', '--input-type=module', '-e', script]
    const { stderr } = spawnSync(process.execPath, args, { cwd: import.meta.dirname, encoding: 'utf8' })
    expect(stderr).toContain('"typed" failed while it was loaded: ')
    expect(stderr).toContain('Node runs no TypeScript from packages: its author has to publish JavaScript')
  })

  it.each([
    ['a part of it', "import 'not-there-at-all'", 'MISSING_DEPENDENCY', 'check its imports'],
    ['the name of a part of it', "import 'not-there-at-all'", 'MISSING_DEPENDENCY', "package 'not-there-at-all'"],
    ['a factory', 'export const x = 1', 'INVALID_ARGUMENT', 'must export a function (options) => Backend'],
    ['a backend', 'export default () => ({})', 'INVALID_ARGUMENT', 'is not a backend'],
    ['a function', 'export default class {}', 'INVALID_ARGUMENT', 'is a class: it must export a function'],
    [
      'an answer',
      "export default () => { throw new Error('boom') }",
      'ENGINE',
      'could not make a backend of these options'
    ],
    ['sense', "throw new Error('boom')", 'ENGINE', 'failed while it was loaded: Error: boom']
  ])('is told apart: %s', async (_, source, code, message) => {
    const cwd = folderWith({ 'package.json': module, 'bad.js': source, 'p2pl.config.json': '{"backend":"./bad.js"}' })
    await expect(create({ cwd })).rejects.toMatchObject({ code, message: expect.stringContaining(message) as string })
  })
})

it.each([
  ['nothing', undefined],
  ['null', null],
  ['a name', 'helia'],
  ['what createPeer takes', { backend: 'helia' }],
  ['names', { messages: 'helia', data: 'memory', directory: '.' }],
  ['no folder', { messages: { use: 'memory', options: {} }, data: { use: 'memory', options: {} } }]
])('createBackends of %s names loadConfig', async (_, config) => {
  await expect(createBackends(config as never)).rejects.toMatchObject({
    code: 'INVALID_ARGUMENT',
    message: expect.stringContaining('createBackends(await loadConfig(') as string
  })
})

describe('the command', () => {
  it.each([
    [{ 'package-lock.json': '' }, 'pnpm/12', 'npm install x'],
    [{ 'pnpm-lock.yaml': '' }, 'npm/11', 'pnpm add x'],
    [{ 'yarn.lock': '' }, 'npm/11', 'yarn add x'],
    [{ 'bun.lock': '' }, 'npm/11', 'bun add x'],
    [{}, 'yarn/4.0.0 npm/? node/24', 'yarn add x'],
    [{}, 'npm/11.0.0 node/24', 'npm install x'],
    [{}, '', 'npm install x']
  ])('follows the lockfile %o, then who runs us (%s)', (files, agent, command) => {
    expect(installCommand('x', folderWith(files), agent)).toBe(command)
  })
})

import { mkdirSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { describe, expect, it } from 'vitest'
import { defineConfig, loadConfig } from '../src/index.ts'
import { folderWith, messageOf } from './support.ts'

const none = {}
const types = pathToFileURL(join(import.meta.dirname, '../src/types.ts')).href

describe('without anything', () => {
  it('is helia for messages and data, with retries', async () => {
    const cwd = folderWith()
    const choice = { use: 'helia', options: {} }
    expect(await loadConfig({ cwd, env: none })).toEqual({
      messages: choice,
      data: choice,
      retry: {},
      timeout: undefined,
      file: undefined,
      directory: cwd
    })
  })
})

describe('one file', () => {
  const expected = { use: 'memory', options: { seed: 7 } }
  it.each([
    ['json', '{ "backend": { "use": "memory", "options": { "seed": 7 } }, "retry": false }'],
    ['yaml', 'backend:\n  use: memory\n  options:\n    seed: 7\nretry: false\n'],
    ['js', 'export default { backend: { use: "memory", options: { seed: 7 } }, retry: false }'],
    [
      'ts',
      `import { defineConfig } from '${types}'\nconst seed: number = 7\nexport default defineConfig({ backend: { use: 'memory', options: { seed } }, retry: false })`
    ]
  ])('of kind %s', async (kind, text) => {
    const cwd = folderWith({ [`p2pl.config.${kind}`]: text, 'package.json': '{"type":"module"}' })
    const config = await loadConfig({ cwd, env: none })
    expect([config.messages, config.data, config.retry]).toEqual([expected, expected, undefined])
    expect(config.file).toBe(join(cwd, `p2pl.config.${kind}`))
  })

  it('may be named by the caller or by P2PL_CONFIG, or left out', async () => {
    const cwd = folderWith({
      'a.yaml': 'backend: memory',
      'b.json': '{"backend":"bittorrent"}',
      'p2pl.config.json': '{"backend":"ipfs-rpc"}'
    })
    const use = async (options: Parameters<typeof loadConfig>[0]): Promise<string> =>
      (await loadConfig({ cwd, env: none, ...options })).data.use
    expect(await use({ file: 'a.yaml' })).toBe('memory')
    expect(await use({ env: { P2PL_CONFIG: 'b.json' } })).toBe('bittorrent')
    expect(await use({ file: 'a.yaml', env: { P2PL_CONFIG: 'b.json' } })).toBe('memory')
    expect(await use({})).toBe('ipfs-rpc')
    expect(await use({ file: false })).toBe('helia')
  })

  it('is not passed over because of its ending, or of a byte order mark', async () => {
    for (const ending of ['yml', 'mjs', 'mts', 'toml']) {
      const cwd = folderWith({ [`p2pl.config.${ending}`]: '' })
      expect(await messageOf(loadConfig({ cwd, env: none }))).toMatch(
        new RegExp(`p2pl.config.${ending}: .* ends in .ts, .js, .json, .yaml: rename it`)
      )
    }
    const marked = folderWith({ 'p2pl.config.json': '\uFEFF{"backend":"memory"}' })
    expect((await loadConfig({ cwd: marked, env: none })).data.use).toBe('memory')
  })

  it('is refused when there are two, none where one was named, or another kind', async () => {
    const cwd = folderWith({ 'p2pl.config.json': '{}', 'p2pl.config.yaml': '', 'c.toml': '' })
    expect(await messageOf(loadConfig({ cwd, env: none }))).toMatch(/json and p2pl.config.yaml stand side by side/)
    expect(await messageOf(loadConfig({ cwd, env: none, file: 'no.json' }))).toMatch(
      /there is no configuration file .*no\.json/
    )
    expect(await messageOf(loadConfig({ cwd, env: none, file: 'c.toml' }))).toMatch(/ends in .ts, .js, .json, .yaml/)
  })

  it('is not passed over where it is a folder, or a link to nothing', async () => {
    const folder = folderWith()
    mkdirSync(join(folder, 'p2pl.config.yaml'))
    const link = folderWith()
    symlinkSync(join(link, 'gone.yaml'), join(link, 'p2pl.config.yaml'))
    const beside = folderWith({ 'p2pl.config.json': '{}' })
    symlinkSync(join(beside, 'gone.yaml'), join(beside, 'p2pl.config.yaml'))
    const loop = folderWith()
    symlinkSync('p2pl.config.json', join(loop, 'p2pl.config.json'))
    const load = async (options: Parameters<typeof loadConfig>[0]): Promise<string> =>
      await messageOf(loadConfig({ env: none, ...options }))
    expect(await load({ cwd: folder })).toBe('p2pl.config.yaml is a folder: a configuration is a file')
    expect(await load({ cwd: link })).toBe('p2pl.config.yaml is a link to nothing: mend or remove it')
    expect(await load({ cwd: beside })).toContain('p2pl.config.json and p2pl.config.yaml stand side by side')
    expect(await load({ cwd: loop })).toBe(
      'p2pl.config.json cannot be read (ELOOP): check its permissions and those of its folder'
    )
    // Also where it was named.
    expect(await load({ file: join(folder, 'p2pl.config.yaml') })).toContain('is a folder')
    expect(await load({ cwd: folderWith(), env: { P2PL_CONFIG: join(link, 'p2pl.config.yaml') } })).toContain(
      'a link to nothing'
    )
  })

  it('may be a link', async () => {
    const cwd = folderWith({ 'real.yaml': 'backend: memory' })
    symlinkSync(join(cwd, 'real.yaml'), join(cwd, 'p2pl.config.yaml'))
    expect((await loadConfig({ cwd, env: none })).data.use).toBe('memory')
  })

  it('may be empty YAML', async () => {
    expect((await loadConfig({ cwd: folderWith({ 'p2pl.config.yaml': '' }), env: none })).data.use).toBe('helia')
  })
})

describe('sources', () => {
  it('overrule each other: defaults, file, environment, overrides', async () => {
    const cwd = folderWith({ 'p2pl.config.yaml': 'backend: { use: memory, options: { b: file, c: file, d: file } }' })
    const config = await loadConfig({
      cwd,
      defaults: { backend: { use: 'memory', options: { a: 'defaults', b: 'defaults' } } },
      env: { P2PL_BACKEND__OPTIONS__C: 'env', P2PL_BACKEND__OPTIONS__D: 'env' },
      overrides: { backend: { options: { d: 'overrides' } } }
    })
    expect(config.data).toEqual({ use: 'memory', options: { a: 'defaults', b: 'file', c: 'env', d: 'overrides' } })
  })

  it('drop the options of an adapter that a stronger source replaces', async () => {
    const cwd = folderWith({ 'p2pl.config.yaml': 'backend: { use: helia, options: { profile: lan } }' })
    const config = await loadConfig({ cwd, env: { P2PL_BACKEND: 'memory' } })
    expect(config.data).toEqual({ use: 'memory', options: {} })
    expect((await loadConfig({ cwd, env: { P2PL_BACKEND: 'helia' } })).data.options).toEqual({ profile: 'lan' })
  })

  it('give options without an adapter to the one that is chosen in the end', async () => {
    const env = { P2PL_BACKEND__OPTIONS__SEED: '7' }
    const warnings: string[] = []
    const onWarning = (message: string): unknown => warnings.push(message)
    const { data } = await loadConfig({ file: false, env, overrides: { backend: 'memory' }, onWarning })
    expect([data, warnings]).toEqual([{ use: 'memory', options: { seed: 7 } }, []])
  })

  it('say what a stronger one leaves without effect', async () => {
    const cwd = folderWith({ 'p2pl.config.yaml': 'backend: { use: helia, options: { profile: lan } }' })
    const load = async (env: Record<string, string>, backend?: string): Promise<string[]> => {
      const warnings: string[] = []
      const overrides = backend === undefined ? {} : { backend }
      const defaults = { backend: { use: 'bittorrent', options: { dht: false } } }
      await loadConfig({ cwd, env, defaults, overrides, onWarning: (message) => warnings.push(message) })
      return warnings
    }
    const gone = 'has no effect: the adapter that it is for is replaced by'
    const app = 'the application or its command line'
    expect(await load({})).toEqual([])
    expect(await load({}, 'helia')).toEqual([])
    expect(await load({}, 'memory')).toEqual([`backend.options.profile of p2pl.config.yaml ${gone} ${app}`])
    const options = { P2PL_BACKEND: 'ipfs-rpc', P2PL_BACKEND__OPTIONS__API_URL: 'http://127.0.0.1:1' }
    expect(await load(options, 'memory')).toEqual([
      `backend.options.profile of p2pl.config.yaml ${gone} environment`,
      `P2PL_BACKEND__OPTIONS__API_URL ${gone} ${app}`
    ])
    expect(await load({ P2PL_MESSAGES: 'memory', P2PL_MESSAGES__OPTIONS__SEED: '1' }, 'helia')).toEqual([
      `P2PL_MESSAGES__OPTIONS__SEED ${gone} ${app}`
    ])
  })

  it('may split messages and data', async () => {
    const cwd = folderWith({ 'p2pl.config.yaml': 'messages: bittorrent' })
    const uses = async (env: Record<string, string>): Promise<string[]> => {
      const { messages, data } = await loadConfig({ cwd, env })
      return [messages.use, data.use]
    }
    expect(await uses({})).toEqual(['bittorrent', 'helia'])
    expect(await uses({ P2PL_DATA: 'ipfs-rpc' })).toEqual(['bittorrent', 'ipfs-rpc'])
    expect(await uses({ P2PL_MESSAGES: 'memory', P2PL_DATA: 'ipfs-rpc' })).toEqual(['memory', 'ipfs-rpc'])
    expect(await uses({ P2PL_BACKEND: 'memory' })).toEqual(['memory', 'memory'])
  })

  it('take paths relative to where they stand', async () => {
    const cwd = folderWith({ 'conf/mine.json': '{ "messages": "./a.js" }' })
    const config = await loadConfig({ cwd, env: { P2PL_DATA: './b.js' }, file: 'conf/mine.json' })
    expect(config.messages.use).toBe(pathToFileURL(join(cwd, 'conf/a.js')).href)
    expect(config.data.use).toBe(pathToFileURL(join(cwd, 'b.js')).href)
    expect(config.directory).toBe(join(cwd, 'conf'))
  })

  it('switch layers on, off and by key', async () => {
    const cwd = folderWith({ 'p2pl.config.yaml': 'retry: { attempts: 5, baseDelay: 10 }\ntimeout: { get: 1000 }' })
    const load = async (env: Record<string, string>): Promise<unknown[]> => {
      const { retry, timeout } = await loadConfig({ cwd, env })
      return [retry, timeout]
    }
    expect(await load({})).toEqual([{ attempts: 5, baseDelay: 10 }, { get: 1000 }])
    expect(await load({ P2PL_RETRY__BASE_DELAY: '20', P2PL_TIMEOUT__PUT: '5' })).toEqual([
      { attempts: 5, baseDelay: 20 },
      { get: 1000, put: 5 }
    ])
    expect(await load({ P2PL_RETRY: 'false', P2PL_TIMEOUT: 'false' })).toEqual([undefined, undefined])
    expect(await load({ P2PL_RETRY: '{"attempts":2}' })).toEqual([{ attempts: 2, baseDelay: 10 }, { get: 1000 }])
    expect(await load({ P2PL_RETRY: 'true' })).toEqual([{}, { get: 1000 }])
  })
})

describe('the environment', () => {
  it('has values that are JSON or text, and SNAKE_CASE for camelCase', async () => {
    const { messages } = await loadConfig({
      file: false,
      env: {
        P2PL_BACKEND: 'memory',
        P2PL_BACKEND__OPTIONS__API_URL: 'http://127.0.0.1:5001',
        P2PL_BACKEND__OPTIONS__LISTEN: '["/ip4/127.0.0.1/tcp/0"]',
        P2PL_BACKEND__OPTIONS__DEEP__LOW_WATER: '3',
        P2PL_BACKEND__OPTIONS__TEXT: '"3"',
        P2PL_BACKEND__OPTIONS__EMPTY: '',
        P2PL_SEED: '1',
        P2PL_CONFIG_HOME: '/x',
        OTHER: 'x'
      }
    })
    expect(messages).toEqual({
      use: 'memory',
      options: { apiUrl: 'http://127.0.0.1:5001', listen: ['/ip4/127.0.0.1/tcp/0'], deep: { lowWater: 3 }, text: '3' }
    })
  })

  it.each([
    [{ P2PL_BACKND: 'memory' }, 'P2PL_BACKND: unknown key. Did you mean "P2PL_BACKEND"?'],
    [{ P2PL_RETRY__ATEMPTS: '3' }, 'environment: retry.atempts: unknown key. Did you mean "attempts"?'],
    [{ P2PL_BACKEND__OPTIONS____X: '3' }, 'a key is missing next to "__"'],
    [{ P2PL_RETRY: 'false', P2PL_RETRY__ATTEMPTS: '3' }, 'P2PL_RETRY__ATTEMPTS contradicts a shorter variable']
  ])('refuses %o', async (env, message) => {
    expect(await messageOf(loadConfig({ file: false, env }))).toContain(message)
  })
})

describe('what is wrong', () => {
  it.each([
    [
      '{"backnd":"memory"}',
      'p2pl.config.json: backnd: unknown key. Did you mean "backend"? Known here: backend, messages'
    ],
    ['{"retry":{"maxdelay":1}}', 'retry.maxdelay: unknown key. Did you mean "maxDelay"?'],
    ['{"data":{"name":"memory"}}', 'data.name: unknown key. Known here: use, options'],
    ['{"retry":{"attempts":0}}', 'retry.attempts: must be a whole number of at least 1'],
    ['{"retry":{"jitter":"much"}}', 'retry.jitter: must be a number from 0 to 1'],
    ['{"retry":{"operations":["block.get"]}}', 'Did you mean "blocks.get"?'],
    ['{"retry":"yes"}', 'retry: must be true, false or an object'],
    ['{"timeout":{"get":0}}', 'timeout.get: must be milliseconds over 0'],
    ['{"timeout":true}', 'timeout: must be false or an object'],
    ['{"backend":7}', 'backend: must be a name, or an object'],
    ['{"backend":{"options":[]}}', 'backend.options: must be an object'],
    ['[]', 'must be an object'],
    ['{"messages":{"options":{}}}', 'messages.use is missing'],
    ['{"backend":{"options":{"__proto__":{"polluted":1}}}}', 'backend.options.__proto__: this key is not allowed'],
    ['{"backend":{"options":{"a":{"constructor":1}}}}', 'backend.options.a.constructor: this key is not allowed']
  ])('is named with its path: %s', async (text, message) => {
    const failure = await messageOf(loadConfig({ cwd: folderWith({ 'p2pl.config.json': text }), env: none }))
    expect(failure).toContain(message)
    expect(({} as Record<string, unknown>)['polluted']).toBeUndefined()
  })

  it('is named all at once', async () => {
    const cwd = folderWith({ 'p2pl.config.json': '{"retry":{"attempts":0,"jitter":2},"dat":1}' })
    expect((await messageOf(loadConfig({ cwd, env: none }))).split('\n')).toHaveLength(3)
  })

  it('is refused as INVALID_ARGUMENT, also in overrides', async () => {
    const overrides = defineConfig({ retry: { attempts: -1 } })
    await expect(loadConfig({ file: false, env: none, overrides })).rejects.toMatchObject({
      code: 'INVALID_ARGUMENT',
      retryable: false
    })
  })

  it.each([
    ['json', '{\n  "psk": "s3cret" oops }', 'line 2'],
    ['json', '{"retry": {"attempts": "s3cret"}}', 'retry.attempts'],
    ['json', '{"backend": {"use": ["s3cret"]}}', 'backend.use'],
    ['yaml', 'a: 1\npsk: "s3cret', 'line'],
    ['yaml', 'retry: { operations: [s3cret] }', 'retry.operations.0'],
    ['js', 'export default { psk: s3cret s3cret }', 'could not be loaded'],
    ['yaml', 'backend: memory\n---\npsk: s3cret', 'a second document begins at line 2, column 1: keep one'],
    ['yaml', 'backend: memory\n---\n', 'a second document begins at line 2, column 1: keep one'],
    ['yaml', 'backend: !s3cret memory', 'TAG_RESOLVE_FAILED, line 1, column 10'],
    ['yaml', 'backend: memory\nbackend: s3cret', 'DUPLICATE_KEY, line 2, column 1'],
    ['ts', 'export const psk = "s3cret"', 'no default export']
  ])('keeps the secret of a %s file: %s', async (kind, text, hint) => {
    const cwd = folderWith({ [`p2pl.config.${kind}`]: text, 'package.json': '{"type":"module"}' })
    const error: unknown = await loadConfig({ cwd, env: none }).catch((failure: unknown) => failure)
    expect((error as Error).message).toContain(hint)
    expect((error as Error).message).not.toContain('s3cret')
    expect((error as Error).cause).toBeUndefined()
  })

  it('is bounded in size, depth and number', async () => {
    const load = (kind: string, text: string): Promise<string> =>
      messageOf(loadConfig({ cwd: folderWith({ [`p2pl.config.${kind}`]: text }), env: none }))
    expect(await load('json', `"${'x'.repeat(1_048_577)}"`)).toContain('larger than 1048576 bytes')
    expect(await load('json', `{"backend":{"options":${'{"a":'.repeat(40)}1${'}'.repeat(40)}}}`)).toContain(
      'nested deeper'
    )
    expect(await load('json', `{"backend":{"options":{"a":[${'1,'.repeat(10_001)}1]}}}`)).toContain(
      'more than 10000 values'
    )
    expect(await load('yaml', 'backend:\n  options: &a\n    b: *a\n')).toMatch(/nested deeper|aliases/)
    const bomb = ['a: &a0 [x,x,x,x,x,x,x,x,x]']
    for (let i = 1; i < 9; i++) bomb.push(`a${i}: &a${i} [${`*a${i - 1},`.repeat(8)}*a${i - 1}]`)
    expect(await load('yaml', bomb.join('\n'))).toContain('aliases without end')
  })

  it('is refused before the work where it is YAML that is dear to parse', async () => {
    const repeated = (line: (i: number) => string): string =>
      Array.from({ length: 40_000 }, (_, i) => line(i)).join('\n')
    const load = (text: string): Promise<string> =>
      messageOf(loadConfig({ cwd: folderWith({ 'p2pl.config.yaml': text }), env: none }))
    const anchors = 'more than 100 anchors and aliases: write the values out'
    expect(await load(`a:\n${repeated((i) => `- &a${i} x\n- *a${i}`)}`)).toContain(anchors)
    expect(await load(`a:\n${repeated((i) => `- &a${i} x`)}`)).toContain(anchors)
    expect(await load(repeated((i) => `k${i}: 1`))).toContain('more than 20000 words and signs')
    expect(await load('['.repeat(100_000))).toContain('more than 20000 words and signs')
    expect(await load('? '.repeat(100_000))).toContain('more than 20000 words and signs')
    // Text that looks like them is none.
    const text = `backend:\n  options:\n    a: |\n${'      *x &y\n'.repeat(500)}\n    b: [${'"*x", x&y, '.repeat(200)}]`
    const cwd = folderWith({ 'p2pl.config.yaml': text })
    expect((await loadConfig({ cwd, env: none })).data.options['b']).toHaveLength(400)
  })
})

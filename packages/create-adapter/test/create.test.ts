import { install, run } from '@p2pl/tooling-registry'
import { testRegistry } from '@p2pl/tooling-registry/test'
import { temporaryFolder } from '@p2pl/tooling-vitest'
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { beforeAll, describe, expect, it } from 'vitest'

// With a space, as in many names of users.
const place = temporaryFolder('p2pl create-')
const compiler = join(place, 'node_modules/typescript/bin/tsc')
const registry = testRegistry()
const node = async (args: readonly string[], cwd: string): Promise<string> =>
  await run('node', args, { cwd, env: registry.env })
const create = async (...args: string[]): Promise<string> =>
  await node([join(place, 'node_modules/@p2pl/create-adapter/bin/create-adapter.mjs'), ...args], place)

interface Manifest {
  readonly name: string
  readonly dependencies: Readonly<Record<string, string>>
  readonly devDependencies: Readonly<Record<string, string>>
  readonly exports: unknown
}

beforeAll(async () => {
  const packages = ['create-adapter', 'core', 'embedded', 'conformance'].map((name) => `@p2pl/${name}`)
  // The compiler and its types are what a new adapter installs.
  const manifest = readFileSync(new URL('../node_modules/typescript/package.json', import.meta.url), 'utf8')
  const { version } = JSON.parse(manifest) as { version: string }
  await install(registry, place, [...packages, `typescript@${version}`, '@types/node@24'])
}, 300_000)

describe.concurrent.each([
  ['my-net', [], 'my-net', ['@p2pl/core', '@p2pl/embedded']],
  ['@me/my-words', ['--messages-only'], 'my-words', ['@p2pl/core']]
] as const)('npm create @p2pl/adapter %s', (name, options, folder, dependencies) => {
  const made = join(place, folder)
  const read = (path: string): string => readFileSync(join(made, path), 'utf8')

  it('makes a package that type-checks, passes the kit and builds', { timeout: 300_000 }, async () => {
    expect(await create(name, ...options)).toContain(`Next:\n\n  cd ${folder}\n  npm install\n  npm test\n`)
    const manifest = JSON.parse(read('package.json')) as Manifest
    expect(manifest.name).toBe(name)
    expect(Object.keys(manifest.dependencies)).toEqual(dependencies)
    for (const range of Object.values({ ...manifest.dependencies, ...manifest.devDependencies }))
      expect(range).toMatch(/^[\^~]?\d/)

    await node([compiler, '-p', made], made)
    const tests = readdirSync(join(made, 'test')).map((file) => join('test', file))
    const output = await node(['--test', '--test-reporter=tap', ...tests], made)
    expect(output).toContain('# fail 0')
    const [, kept, of] = /It keeps (\d+) of the (\d+) obligations/.exec(read('CAPABILITIES.md')) ?? []
    expect(Number(kept)).toBeGreaterThan(80)
    expect(kept).toBe(of)

    await node([compiler, '-p', join(made, 'tsconfig.build.json')], made)
    const script = `import { backend, placement } from ${JSON.stringify(join(made, 'dist/index.js'))}
      console.log(JSON.stringify([backend().name, placement, Object.keys(backend().capabilities)]))`
    const [backend, placement, parts] = JSON.parse(
      await node(['--input-type=module', '-e', script], made)
    ) as string[][]
    expect(backend).toBe(folder)
    const full = options.length === 0
    expect(placement).toEqual(full ? ['dir', 'durability', 'listen'] : ['listen'])
    expect(parts).toEqual(full ? ['messages', 'blocks', 'routing'] : ['messages', 'routing'])
    // Node runs no TypeScript below node_modules: what is published is JavaScript, with types.
    expect(manifest.exports).toEqual({ '.': { types: './dist/index.d.ts', default: './dist/index.js' } })
    expect(read('dist/index.d.ts')).toContain('export declare function backend')

    const texts = readdirSync(made, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile() && !/node_modules|dist/.test(entry.parentPath))
      .map((entry) => readFileSync(join(entry.parentPath, entry.name), 'utf8'))
    expect(texts.join('\n')).not.toMatch(/\[full|full\]|\/\/\||<!--\||my-package/)
    expect(readdirSync(made)).toEqual(
      expect.arrayContaining(['.changeset', '.github', '.gitignore', 'CAPABILITIES.md', 'README.md'])
    )
  })
})

it('the packages compile with an old lib and without types of Node', { timeout: 300_000 }, async () => {
  const use = join(place, 'use')
  mkdirSync(use)
  writeFileSync(
    join(use, 'use.ts'),
    ["core'", "core/backend'", "conformance'"]
      .map((door) => `export * as x${door.length} from '@p2pl/${door}\n`)
      .join('')
  )
  const compilerOptions = {
    target: 'es2022',
    lib: ['es2022', 'dom'],
    module: 'nodenext',
    types: [],
    strict: true,
    noEmit: true
  }
  writeFileSync(join(use, 'tsconfig.json'), JSON.stringify({ compilerOptions, files: ['use.ts'] }))
  expect(await node([compiler, '-p', use], use)).toBe('')
})

describe('npm create @p2pl/adapter', () => {
  it.each([
    [['My Net'], '"My Net" is no name for a package'],
    [['../elsewhere'], 'is no name for a package'],
    [[], 'give one name'],
    [['one', 'two'], 'give one name'],
    [['node_modules', '--colour'], "Unknown option '--colour'"]
  ])('refuses %j', async (args, message) => {
    await expect(create(...args)).rejects.toThrow(message)
  })

  it('leaves a folder alone that has something in it', async () => {
    await expect(create('node-modules')).resolves.toContain('files in node-modules')
    await expect(create('@other/node-modules')).rejects.toThrow('the folder node-modules is not empty')
  })

  it('says how it is used', async () => {
    expect(await create('--help')).toContain('npm create @p2pl/adapter <name>')
  })
})

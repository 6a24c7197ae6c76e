import { temporaryFolder } from '@p2pl/tooling-vitest'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { beforeAll, describe, expect, it } from 'vitest'
import { install, run } from '../src/index.ts'
import { programFile } from '../src/programs.ts'
import { testRegistry } from '../src/test.ts'
import { root } from '../src/tree.ts'
import { doorsOf, everything, names } from './consumer.ts'

const place = temporaryFolder()
const registry = testRegistry()

beforeAll(async () => {
  // So that a declaration may name only dependencies of its own package.
  const env = { ...registry.env, PNPM_CONFIG_HOIST: 'false' }
  await install({ ...registry, env }, place, everything, 'pnpm')
}, 300_000)

const compilers = { '5.9': programFile('typescript-5/bin/tsc'), '7': join(root, 'node_modules/typescript/bin/tsc') }

/** The declarations of their dependencies, such as LevelDB, undici or libp2p, name types of Node. */
const withTypesOfNode = ['bittorrent', 'cli', 'embedded', 'helia', 'ipfs-rpc', 'kubo', 'store', 'sync']

/**
 * The compiler's errors for a program that imports all doors of these packages. It checks every declaration that it
 * reads.
 */
async function compile(compiler: string, packages: readonly string[], options: object): Promise<string> {
  const doors = packages.flatMap((name) => doorsOf(place, name))
  writeFileSync(join(place, 'use.ts'), doors.map((door, i) => `export * as door${i} from '${door}'\n`).join(''))
  const strict = { strict: true, exactOptionalPropertyTypes: true, noUncheckedIndexedAccess: true, skipLibCheck: false }
  const compilerOptions = { target: 'es2022', module: 'nodenext', noEmit: true, ...strict, ...options }
  writeFileSync(join(place, 'tsconfig.json'), JSON.stringify({ compilerOptions, files: ['use.ts'] }))
  return await run('node', [compiler, '-p', place], { cwd: place, env: registry.env })
}

describe.each(Object.entries(compilers))('under TypeScript %s, all declarations compile', (_, compiler) => {
  it('with types of Node', { timeout: 300_000 }, async () => {
    const options = { types: ['node'], typeRoots: [join(root, 'node_modules/@types')] }
    expect(await compile(compiler, names, options)).toBe('')
  })

  it(
    'without types of Node and with an old lib, where a package does not say that it needs them',
    { timeout: 300_000 },
    async () => {
      const others = names.filter((name) => !withTypesOfNode.includes(name))
      expect(await compile(compiler, others, { types: [], lib: ['es2022', 'dom'] })).toBe('')
    }
  )
})

it.each(['conformance', 'memory', 'core'])('%s alone compiles with an old lib', async (name) => {
  expect(await compile(compilers['7'], [name], { types: [], lib: ['es2022', 'dom'] })).toBe('')
})

it.each(withTypesOfNode)('%s says that it needs types of Node', async (name) => {
  expect(readFileSync(join(root, 'packages', name, 'README.md'), 'utf8').includes('`@types/node`')).toBe(true)
})

it('a declaration that does not compile is found', async () => {
  await expect(compile(compilers['7'], ['kubo'], { types: [], lib: ['es2022', 'dom'] })).rejects.toThrow("'Buffer'")
})

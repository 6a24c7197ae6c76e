import { mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises'
import { execFile } from 'node:child_process'
import { tmpdir } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'

const run = promisify(execFile)
const workspace = resolve(import.meta.dirname, '../../..')
const preset = resolve(import.meta.dirname, '../src/index.ts')

/** A package that carries an engine, in a folder of its own; the engine needs a heavy module. */
const files: Readonly<Record<string, string>> = {
  'package.json': JSON.stringify({ name: 'carrier', type: 'module', dependencies: { outside: '*' } }),
  'src/index.ts': `
    import { engine, heavy } from 'engine'
    import { outside } from 'outside'
    export const all: unknown[] = [engine, outside]
    export const use = (): unknown => new heavy()`,
  'node_modules/engine/package.json': JSON.stringify({
    name: 'engine',
    version: '1.2.3',
    license: 'MIT',
    main: 'index.cjs'
  }),
  'node_modules/engine/LICENSE': 'Copyright the authors of the engine',
  'node_modules/engine/index.cjs': `exports.engine = require('path').basename('/a/engine'); exports.heavy = require('heavy').Heavy`,
  'node_modules/heavy/package.json': JSON.stringify({ name: 'heavy', version: '9.0.0', main: 'index.cjs' }),
  'node_modules/heavy/index.cjs': `throw new Error('no native binary')`,
  'node_modules/outside/package.json': JSON.stringify({ name: 'outside', version: '1.0.0', main: 'index.cjs' }),
  'node_modules/outside/index.cjs': `exports.outside = 'outside'`
}

describe('the check of declarations', () => {
  it.each([
    [
      'what is carried',
      `export { x } from './deep.ts'`,
      `import type { Y } from 'engine/deep'\nexport declare const x: Y`,
      1
    ],
    ['what is installed', `export { x } from './deep.ts'`, `export declare const x: import('outside').Y`, 0],
    [
      'nothing that is exported',
      `export declare const y: 1`,
      `import type { Y } from 'engine'\nexport declare const x: Y`,
      0
    ]
  ])('finds %s', async (_, index, deep, code) => {
    const folder = await mkdtemp(join(tmpdir(), 'p2pl-declarations-'))
    try {
      await mkdir(join(folder, 'dist'))
      const exports = { '.': { types: './dist/index.d.ts', default: './dist/index.js' } }
      const manifest = { name: 'carrier', exports, dependencies: { outside: '*' } }
      await writeFile(join(folder, 'package.json'), JSON.stringify(manifest))
      await writeFile(join(folder, 'dist/index.d.ts'), index)
      await writeFile(join(folder, 'dist/deep.d.ts'), deep)
      const script = resolve(import.meta.dirname, '../src/declarations.main.ts')
      const failed = await run(process.execPath, [script], { cwd: folder }).then(
        () => undefined,
        (error: { code: number; stderr: string }) => error
      )
      expect(failed?.code ?? 0).toBe(code)
      if (code === 1) expect(failed?.stderr).toContain('engine/deep, which a user of carrier does not have')
    } finally {
      await rm(folder, { recursive: true, force: true })
    }
  })
})

describe('the preset, where it bundles', () => {
  let folder: string

  beforeAll(async () => {
    // Inside of the workspace, so that tsup is found from there.
    await mkdir(join(workspace, 'node_modules/.cache'), { recursive: true })
    folder = await mkdtemp(join(workspace, 'node_modules/.cache/p2pl-preset-'))
    for (const [path, text] of Object.entries(files)) {
      await mkdir(join(folder, dirname(path)), { recursive: true })
      await writeFile(join(folder, path), text)
    }
    await writeFile(
      join(folder, 'tsup.config.ts'),
      `import { preset } from ${JSON.stringify(preset)}\nexport default preset(['src/index.ts'], { bundle: { omit: ['heavy'] } })`
    )
    await symlink(join(workspace, 'node_modules/tsup'), join(folder, 'node_modules/tsup'), 'dir')
    await run(process.execPath, [join(workspace, 'node_modules/tsup/dist/cli-default.js'), '--silent'], { cwd: folder })
  }, 120_000)

  afterAll(async () => {
    await rm(folder, { recursive: true, force: true })
  })

  it('carries what is no dependency, leaves dependencies outside, and fails only where something omitted is used', async () => {
    await rm(join(folder, 'node_modules/engine'), { recursive: true })
    await rm(join(folder, 'node_modules/heavy'), { recursive: true })
    const script = `
      const { all, use } = await import('./dist/index.js')
      let thrown
      try { use() } catch (error) { thrown = error.message }
      console.log(JSON.stringify([all, thrown]))`
    const { stdout } = await run(process.execPath, ['--input-type=module', '--eval', script], { cwd: folder })
    expect(JSON.parse(stdout)).toEqual([['engine', 'outside'], 'heavy is not a part of this package'])
  })

  it('names what it carries, with its licence, and nothing else', async () => {
    const notices = await readFile(join(folder, 'dist/THIRD-PARTY-NOTICES.txt'), 'utf8')
    expect(notices).toContain('engine 1.2.3 (MIT)')
    expect(notices).toContain('Copyright the authors of the engine')
    expect(notices).not.toMatch(/heavy|outside/)
  })
})

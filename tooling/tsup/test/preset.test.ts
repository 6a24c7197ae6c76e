import { mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises'
import { execFile } from 'node:child_process'
import { dirname, join, resolve } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'

const run = promisify(execFile)
const workspace = resolve(import.meta.dirname, '../../..')
const preset = resolve(import.meta.dirname, '../src/index.ts')

/** A package that carries an engine, in a separate folder. The engine needs a heavy module. */
const files: Readonly<Record<string, string>> = {
  'package.json': JSON.stringify({
    name: 'carrier',
    version: '1.0.0',
    type: 'module',
    dependencies: { inside: '*', outside: '*' }
  }),
  'src/index.ts': `
    import { engine, heavy } from 'engine'
    import { inside } from 'inside/door'
    import { outside } from 'outside'
    export const all: unknown[] = [engine, inside, outside]
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
  'node_modules/inside/package.json': JSON.stringify({
    name: 'inside',
    version: '1.0.0',
    license: 'MIT',
    author: { name: 'Ann' }
  }),
  'node_modules/inside/door.js': `exports.inside = 'inside'`,
  'node_modules/outside/package.json': JSON.stringify({ name: 'outside', version: '1.0.0', main: 'index.cjs' }),
  'node_modules/outside/index.cjs': `exports.outside = 'outside'`
}

describe('the preset, where it bundles', () => {
  let folder: string

  beforeAll(async () => {
    // Inside the workspace, so that tsup can be found.
    await mkdir(join(workspace, 'node_modules/.cache'), { recursive: true })
    folder = await mkdtemp(join(workspace, 'node_modules/.cache/p2pl-preset-'))
    for (const [path, text] of Object.entries(files)) {
      await mkdir(join(folder, dirname(path)), { recursive: true })
      await writeFile(join(folder, path), text)
    }
    await writeFile(
      join(folder, 'tsup.config.ts'),
      `import { preset } from ${JSON.stringify(preset)}\nexport default preset(['src/index.ts'], { bundle: { omit: ['heavy'], carry: [/^inside\\//] } })`
    )
    await symlink(join(workspace, 'node_modules/tsup'), join(folder, 'node_modules/tsup'), 'dir')
    await run(process.execPath, [join(workspace, 'node_modules/tsup/dist/cli-default.js'), '--silent'], { cwd: folder })
  }, 120_000)

  afterAll(async () => {
    await rm(folder, { recursive: true, force: true })
  })

  it('carries what is no dependency and what it is told to, leaves other dependencies outside, and fails only where something omitted is used', async () => {
    await rm(join(folder, 'node_modules/engine'), { recursive: true })
    await rm(join(folder, 'node_modules/inside'), { recursive: true })
    await rm(join(folder, 'node_modules/heavy'), { recursive: true })
    const script = `
      const { all, use } = await import('./dist/index.js')
      let thrown
      try { use() } catch (error) { thrown = error.message }
      console.log(JSON.stringify([all, thrown]))`
    const { stdout } = await run(process.execPath, ['--input-type=module', '--eval', script], { cwd: folder })
    expect(JSON.parse(stdout)).toEqual([['engine', 'inside', 'outside'], 'heavy is not a part of this package'])
  })

  it('names what it carries, with its licence, and nothing else', async () => {
    const notices = await readFile(join(folder, 'dist/THIRD-PARTY-NOTICES.txt'), 'utf8')
    expect(notices).toContain('engine 1.2.3 (MIT)')
    expect(notices).toContain('Copyright the authors of the engine')
    // A package without the text of its licence.
    expect(notices).toMatch(
      /^inside 1\.0\.0 \(MIT\)\n\nMIT License\n\nCopyright \(c\) Ann\n\nPermission is hereby granted/m
    )
    expect(notices).not.toMatch(/heavy|outside/)
  })

  it('writes an SBOM of what it carries, the same bytes for the same input', async () => {
    const text = await readFile(join(folder, 'dist/sbom.cdx.json'), 'utf8')
    expect(JSON.parse(text)).toEqual({
      bomFormat: 'CycloneDX',
      specVersion: '1.6',
      version: 1,
      metadata: { component: { type: 'library', name: 'carrier', version: '1.0.0' } },
      components: [
        {
          type: 'library',
          name: 'engine',
          version: '1.2.3',
          purl: 'pkg:npm/engine@1.2.3',
          licenses: [{ expression: 'MIT' }]
        },
        {
          type: 'library',
          name: 'inside',
          version: '1.0.0',
          purl: 'pkg:npm/inside@1.0.0',
          licenses: [{ expression: 'MIT' }]
        }
      ]
    })
  })

  it('leaves sources out of its source maps', async () => {
    const map = JSON.parse(await readFile(join(folder, 'dist/index.js.map'), 'utf8')) as { sourcesContent?: unknown }
    expect(map.sourcesContent ?? []).toEqual([])
  })
})

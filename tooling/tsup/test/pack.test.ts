import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterEach, describe, expect, it } from 'vitest'
import { apiReports, publicNames } from '../src/pack/api.ts'
import { contents } from '../src/pack/contents.ts'
import { declarations } from '../src/pack/declarations.ts'
import { readPacked, type PackedPackage } from '../src/pack/packed.ts'

const folders: string[] = []
afterEach(() => folders.splice(0).forEach((folder) => rmSync(folder, { recursive: true })))

const right: Readonly<Record<string, string>> = {
  'package.json': JSON.stringify({
    name: 'mine',
    exports: { '.': { types: './dist/index.d.ts', default: './dist/index.js' } },
    dependencies: { outside: '1.0.0' }
  }),
  'README.md': '# mine',
  'LICENSE.MIT': 'MIT',
  'LICENSE.APACHE': 'Apache',
  'src/index.ts': 'export const x = 1',
  'dist/index.d.ts': `export { x } from './deep.ts'`,
  'dist/deep.d.ts': `import type { Y } from 'outside/deep'\nexport declare const x: Y`,
  'dist/index.js': 'export const x = 1',
  'dist/index.js.map': JSON.stringify({ sources: ['../src/index.ts', '../node_modules/other/index.js'] })
}

/** An unpacked package with some files changed; an undefined one is left out. */
function packed(changes: Readonly<Record<string, string | undefined>> = {}): PackedPackage {
  const folder = mkdtempSync(join(tmpdir(), 'p2pl-packed-'))
  folders.push(folder)
  for (const [path, text] of Object.entries({ ...right, ...changes })) {
    if (text === undefined) continue
    mkdirSync(join(folder, dirname(path)), { recursive: true })
    writeFileSync(join(folder, path), text)
  }
  return { tarball: '', ...readPacked(folder) }
}

describe('the contents of a package', () => {
  it('are right', () => {
    expect(contents(packed())).toEqual([])
  })

  it.each<[string, Record<string, string | undefined>, RegExp]>([
    ['a missing licence', { 'LICENSE.MIT': undefined }, /no LICENSE.MIT/],
    ['a missing README', { 'README.md': undefined }, /no README.md/],
    ['a dead door', { 'dist/index.js': undefined }, /leads to dist\/index.js/],
    [
      'the condition of the workspace',
      { 'package.json': right['package.json']?.replace('"types"', '"@p2pl/source":"./src/index.ts","types"') },
      /of the workspace/
    ],
    [
      'a range of the workspace',
      { 'package.json': right['package.json']?.replace('1.0.0', 'workspace:^') },
      /of the workspace/
    ],
    [
      'sources that are shipped twice',
      { 'dist/index.js.map': JSON.stringify({ sources: ['../src/index.ts'], sourcesContent: ['export const x = 1'] }) },
      /holds sources again/
    ],
    [
      'a source map that leads nowhere',
      { 'dist/index.js.map': JSON.stringify({ sources: ['../src/gone.ts'] }) },
      /leads to src\/gone.ts/
    ]
  ])('with %s are not', (_, changes, problem) => {
    expect(contents(packed(changes))).toEqual([expect.stringMatching(problem)])
  })
})

describe('declarations', () => {
  const named = (deep: string, index = right['dist/index.d.ts']): string[] =>
    declarations(packed({ 'dist/deep.d.ts': deep, 'dist/index.d.ts': index }))

  it('may name installed packages', () => {
    expect(declarations(packed())).toEqual([])
    expect(named(`export declare const x: import('outside').Y`)).toEqual([])
  })

  it('may not name carried ones, where a door leads to them', () => {
    const carried = `import type { Y } from 'engine/deep'\nexport declare const x: Y`
    expect(named(carried)).toEqual(['dist/deep.d.ts names engine/deep, which a user of mine does not have'])
    expect(named(carried, 'export declare const y: 1')).toEqual([])
  })
})

describe('the API report', () => {
  const sources = {
    'dist/index.d.ts': `
/** A comment. */
export * from './deep.ts';
export type * from './types.d.ts';
export { kept as renamed, type Shape } from './names.js';
export { other } from 'outside';
declare const hidden: 1;
export declare function call(
  /** Explained. */
  a: string
): void;
export declare function call(a: number): void;
`,
    'dist/deep.d.ts': 'type One = 1;\nexport declare const x: One;\ndeclare const y: 2;\nexport { y };\n',
    'dist/types.d.ts': 'export interface Z {\n    a: string;\n}\n',
    'dist/names.d.ts': 'export declare const kept: 3;\nexport declare const unused: 4;\nexport type Shape = { a: 1 };\n'
  }

  it('has every public name once, with all its declarations and no comment', () => {
    const { folder } = packed(sources)
    expect(Object.fromEntries(publicNames(join(folder, 'dist/index.d.ts')))).toEqual({
      x: 'export declare const x: One;\ntype One = 1;',
      y: 'declare const y: 2;',
      Z: 'export interface Z {\n    a: string;\n}',
      renamed: '// kept, exported as renamed\nexport declare const kept: 3;',
      Shape: 'export type Shape = { a: 1 };',
      other: `export { other } from 'outside'`,
      call: 'export declare function call(\n  a: string\n): void;\nexport declare function call(a: number): void;'
    })
  })

  it('is compared with the one in the repository, and written on request', () => {
    const own = packed(sources)
    const api = join(own.folder, 'api')
    expect(apiReports(own, api, false)).toEqual([])
    mkdirSync(api)
    expect(apiReports(own, api, false)).toEqual([expect.stringContaining('index.api.md is not the API that was built')])
    expect(apiReports(own, api, true)).toEqual([])
    expect(readFileSync(join(api, 'index.api.md'), 'utf8')).toContain('# The API of mine\n')
    expect(apiReports(own, api, false)).toEqual([])
    writeFileSync(join(own.folder, 'dist/deep.d.ts'), 'export declare const x: 2;\n')
    expect(apiReports(own, api, false)).toHaveLength(1)
  })
})

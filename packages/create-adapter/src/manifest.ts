import { readFile } from 'node:fs/promises'
import type { Variant } from './render.ts'

const changesets = 'npx @changesets/cli@3'

/** The package.json of a new adapter. Its dependencies have the versions with which this package was published. */
export async function manifestOf({ package: name, network, kind }: Variant): Promise<object> {
  const { devDependencies, engines } = await ownManifest()
  const versions = (names: readonly string[]): Record<string, string | undefined> =>
    Object.fromEntries(names.map((each) => [each, devDependencies[each]]))
  return {
    name,
    version: '0.0.0',
    description: `A p2pl backend on ${network}.`,
    keywords: ['p2pl', 'p2pl-adapter'],
    files: ['dist', 'src', 'CAPABILITIES.md'],
    type: 'module',
    exports: { '.': { types: './dist/index.d.ts', default: './dist/index.js' } },
    scripts: {
      test: 'node --test "test/*.test.ts"',
      typecheck: 'tsc -p tsconfig.json',
      build: 'tsc -p tsconfig.build.json',
      prepack: 'npm run build',
      changeset: changesets,
      bump: `${changesets} version`,
      release: `npm run build && ${changesets} publish`
    },
    dependencies: versions(kind === 'full' ? ['@p2pl/core', '@p2pl/embedded'] : ['@p2pl/core']),
    devDependencies: versions(['@p2pl/conformance', '@types/node', 'typescript']),
    engines
  }
}

interface OwnManifest {
  readonly devDependencies: Readonly<Record<string, string>>
  readonly engines: object
}

async function ownManifest(): Promise<OwnManifest> {
  return JSON.parse(await readFile(new URL('../package.json', import.meta.url), 'utf8')) as OwnManifest
}

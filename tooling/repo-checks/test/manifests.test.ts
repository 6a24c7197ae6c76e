import { describe, expect, it } from 'vitest'
import { derivedFields, sourceCondition } from '../src/published.ts'
import {
  catalog,
  dependenciesOf,
  exists,
  type Manifest,
  packages,
  published,
  read,
  rootManifest,
  type WorkspacePackage
} from '../src/workspace.ts'

const named = (list: readonly WorkspacePackage[]): [string, WorkspacePackage][] =>
  list.map((member) => [member.folder, member])
const nodeRange = '>=22.19'

describe('every package', () => {
  it.each(named(packages))('%s is ESM, licensed and says which Node it needs', (folder, { manifest }) => {
    expect(manifest.type).toBe('module')
    expect(manifest.license).toBe(rootManifest.license)
    expect(manifest.engines?.node).toBe(nodeRange)
    expect(manifest.description ?? '').not.toBe('')
    expect(manifest.name).toBe(
      `@p2pl/${{ tooling: 'tooling-', examples: 'example-' }[folder.split('/')[0] ?? ''] ?? ''}${folder.split('/')[1]}`
    )
    expect(manifest.private === true).toBe(!folder.startsWith('packages/'))
    expect(exists(`${folder}/turbo.json`)).toBe(true)
    expect(manifest.scripts?.['typecheck']).toBe('tsc -p tsconfig.json')
  })

  it.each(named(packages))('%s takes versions from the catalog, and ours from the workspace', (_, { manifest }) => {
    const own = new Set(packages.map((member) => member.manifest.name))
    const wrong = Object.entries({
      ...manifest.dependencies,
      ...manifest.devDependencies,
      ...manifest.optionalDependencies
    })
      .filter(([name, version]) => version !== (own.has(name) ? 'workspace:^' : 'catalog:'))
      .map(([name, version]) => `${name}: ${version}`)
    expect(wrong).toEqual([])
  })

  it('has optional peers only', () => {
    const wrong = packages.flatMap(({ folder, manifest }) =>
      Object.keys(manifest.peerDependencies ?? {})
        .filter((name) => manifest.peerDependenciesMeta?.[name]?.optional !== true)
        .map((name) => `${folder}: ${name}`)
    )
    expect(wrong).toEqual([])
  })
})

const browserConfig = 'tsup.browser.config.ts'

/** Whether there is a second build, for browsers. */
function hasBrowserForm(folder: string): boolean {
  return exists(`${folder}/${browserConfig}`)
}

describe('every published package', () => {
  it.each(named(published))('%s can be published', (folder, { manifest }) => {
    expect(exists(`${folder}/README.md`)).toBe(true)
    expect(read(`${folder}/README.md`).length).toBeGreaterThan(500)
    const remedy = 'run `npx pnpm@12 --filter @p2pl/tooling-repo-checks run write`'
    expect(manifest, remedy).toMatchObject(derivedFields(folder, manifest))
    expect(manifest.files).toEqual(expect.arrayContaining(['dist', 'src', 'README.md']))
    expect(manifest.keywords?.length).toBeGreaterThan(0)
    expect(manifest.scripts).toMatchObject({
      build: hasBrowserForm(folder)
        ? 'tsup && tsup --config tsup.browser.config.ts && tsc -p tsconfig.build.json'
        : 'tsup && tsc -p tsconfig.build.json',
      'pack:check': 'node ../../tooling/tsup/src/pack/main.ts'
    })
  })

  it.each(named(published))('%s exports what it builds and builds what it exports', (folder, { manifest }) => {
    const sources: string[] = []
    for (const [door, target] of Object.entries(manifest.exports ?? {})) {
      if (typeof target === 'string') {
        expect([door, target]).toEqual(['./package.json', './package.json'])
        continue
      }
      const source = target[sourceCondition] ?? ''
      const stem = /^\.\/src\/(.+)\.ts$/.exec(source)?.[1] ?? ''
      expect(exists(`${folder}/${source}`), `${door}: ${source}`).toBe(true)
      // Conditions are tried in order: ours first, types before code, the browser form before the general one.
      expect(Object.entries(target)).toEqual([
        [sourceCondition, source],
        ['types', `./dist/${stem}.d.ts`],
        ...(hasBrowserForm(folder) ? [['browser', `./dist/browser/${stem}.js`]] : []),
        ['default', `./dist/${stem}.js`]
      ])
      sources.push(source.slice(2))
    }
    const configs = ['tsup.config.ts', ...(hasBrowserForm(folder) ? [browserConfig] : [])]
    for (const config of configs) {
      const entries = [...read(`${folder}/${config}`).matchAll(/'(src\/[^']+\.ts)'/g)].map(([, entry = '']) => entry)
      expect(entries.toSorted()).toEqual(sources.toSorted())
    }
  })

  it.each(named(published))('%s depends at run time on published packages only', (_, { manifest }) => {
    const unpublished = new Set(
      packages.filter((member) => !published.includes(member)).map((member) => member.manifest.name)
    )
    expect(
      Object.keys({ ...manifest.dependencies, ...manifest.peerDependencies }).filter((name) => unpublished.has(name))
    ).toEqual([])
  })
})

describe('the workspace', () => {
  it('has no cycle of dependencies, those for development included', () => {
    const edges = new Map(
      packages.map(({ manifest }) => [
        manifest.name,
        // The user brings a peer dependency, so it is not built before.
        Object.keys({ ...manifest.dependencies, ...manifest.devDependencies }).filter((name) =>
          name.startsWith('@p2pl/')
        )
      ])
    )
    expect(findCycle(edges)).toEqual([])
    expect(
      findCycle(
        new Map([
          ['a', ['b']],
          ['b', ['c']],
          ['c', ['a']]
        ])
      )
    ).toEqual(['a', 'b', 'c', 'a'])
  })

  it('uses every entry of its catalog', () => {
    const used = new Set(
      [rootManifest, ...packages.map(({ manifest }) => manifest)].flatMap((m) => Object.keys(dependenciesOf(m)))
    )
    expect(Object.keys(catalog).filter((name) => !used.has(name))).toEqual([])
  })

  it('brings one version of Node for all platforms, and types of the same major version', () => {
    const versions = Object.entries(rootManifest.optionalDependencies ?? {}).filter(([name]) =>
      name.startsWith('node-')
    )
    expect(versions.length).toBeGreaterThan(1)
    expect(versions.every(([name]) => /^node-(?:linux|darwin|win)-(?:x64|arm64)$/.test(name))).toBe(true)
    const [version = ''] = new Set(versions.map(([, pin]) => pin))
    expect(new Set(versions.map(([, pin]) => pin)).size).toBe(1)
    expect(version).toMatch(/^\d+\.\d+\.\d+$/)
    expect(catalog['@types/node']).toMatch(new RegExp(`^\\^${version.split('.')[0]}\\.`))
    expect(Number(version.split('.')[0])).toBeGreaterThanOrEqual(Number(/\d+/.exec(nodeRange)?.[0]))
  })

  it('names one version of pnpm', () => {
    const scripts = Object.values(rootManifest.scripts ?? {}).join('\n')
    const versions = new Set([...scripts.matchAll(/pnpm@([\d.]+)/g)].map(([, version]) => version))
    expect(versions.size).toBe(1)
    const { devEngines } = rootManifest as Manifest & { devEngines: { packageManager: { version: string } } }
    expect(devEngines.packageManager.version).toBe(`^${[...versions][0]?.split('.')[0]}.0.0`)
  })
})

/** The names along a cycle; empty if there is none. */
function findCycle(edges: ReadonlyMap<string, readonly string[]>): string[] {
  const done = new Set<string>()
  const visit = (name: string, path: readonly string[]): string[] => {
    const at = path.indexOf(name)
    if (at >= 0) return [...path.slice(at), name]
    if (done.has(name)) return []
    for (const next of edges.get(name) ?? []) {
      const cycle = visit(next, [...path, name])
      if (cycle.length > 0) return cycle
    }
    done.add(name)
    return []
  }
  for (const name of edges.keys()) {
    const cycle = visit(name, [])
    if (cycle.length > 0) return cycle
  }
  return []
}

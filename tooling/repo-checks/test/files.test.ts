import { describe, expect, it } from 'vitest'
import { files, packages, published, read, textFiles } from '../src/workspace.ts'

/** Where the pattern occurs, as `file:line: text`. */
function search(paths: readonly string[], pattern: RegExp): string[] {
  return paths.flatMap((path) =>
    read(path)
      .split('\n')
      .flatMap((line, i) => (pattern.test(line) ? [`${path}:${i + 1}: ${line.trim().slice(0, 120)}`] : []))
  )
}

// Composed, so that this file does not match itself.
const machinePath = new RegExp(
  `(?:^|[\\s'"\`(=,])(?:${['work', 'root', 'home/[a-z]\\w*', 'Users/\\w+', 'tmp/(?!p2pl)\\w'].map((part) => `/${part}`).join('|')})(?:/|\\b(?=['"\`\\s]))`
)
const registry = new RegExp(
  `\\bregistry\\.[\\w-]+\\.(?:org|com|net|dev|io)\\b|\\b(?:npm_config_registry|GOPROXY)\\s*[:=]\\s*['"]?https?:`,
  'i'
)

describe('tracked files', () => {
  it('name no folder of one machine', () => {
    expect(search(textFiles(), machinePath)).toEqual([])
    expect(
      [
        ['', 'work', 'main'],
        ['cd ', 'root', 'x'],
        ['', 'home', 'ann', 'x']
      ].filter((parts) => !machinePath.test(parts.join('/')))
    ).toEqual([])
  })

  it('name no package registry', () => {
    expect(search(textFiles(), registry)).toEqual([])
    expect(files.filter((path) => /(?:^|\/)\.(?:npmrc|yarnrc)/.test(path))).toEqual([])
  })

  it('lock packages by version and hash, not by where they came from', () => {
    const lockfile = read('pnpm-lock.yaml')
    expect(lockfile).not.toMatch(/^\s*tarball:|https?:\/\//m)
    expect(lockfile).toMatch(/integrity: sha512-/)
  })

  it('contain nothing that is built, and no leftover of a conflict', () => {
    expect(files.filter((path) => /(?:^|\/)(?:dist|node_modules|\.turbo)\/|\.tgz$|\.tsbuildinfo$/.test(path))).toEqual(
      []
    )
    expect(search(textFiles(), /^(?:<{7}|>{7}) /)).toEqual([])
  })

  it('leave nothing for later in sources', () => {
    const sources = files.filter((path) => /^(?:packages|apps|examples|tooling)\/.+\.ts$/.test(path))
    expect(
      search(
        sources,
        new RegExp(`\\b(?:${['TO', 'FIX', 'XX'].map((start, i) => start + ['DO', 'ME', 'X'][i]).join('|')})\\b`)
      )
    ).toEqual([])
    expect(search(sources, /\b(?:it|test|describe)\.(?:only|todo)\(/)).toEqual([])
  })
})

describe('changesets', () => {
  const changesets = files.filter((path) => /^\.changeset\/(?!README).+\.md$/.test(path))
  const named = changesets.map((path) => {
    const [, front = '', text = ''] = /^---\n([^]*?)\n---\n([^]*)$/.exec(read(path)) ?? []
    return { path, text: text.trim(), lines: front.split('\n').filter((line) => line !== '') }
  })
  const names = new Set(published.map(({ manifest }) => manifest.name))

  it.each(named)('$path names published packages and says what changes for their users', ({ lines, text }) => {
    expect(lines.length).toBeGreaterThan(0)
    for (const line of lines) {
      const [, name = '', bump = ''] = /^["'](@p2pl\/[\w-]+)["']: (\w+)$/.exec(line) ?? []
      expect(names.has(name), line).toBe(true)
      expect(['patch', 'minor', 'major']).toContain(bump)
    }
    expect(text.length).toBeGreaterThan(20)
  })

  it('exist for every package that was never released', () => {
    const mentioned = new Set(named.flatMap(({ lines }) => lines.map((line) => /@p2pl\/[\w-]+/.exec(line)?.[0])))
    const missing = published.filter(({ manifest }) => manifest.version === '0.0.0' && !mentioned.has(manifest.name))
    expect(missing.map(({ manifest }) => manifest.name)).toEqual([])
  })

  it('give all packages one version, and are configured for packages that exist', () => {
    const config = JSON.parse(read('.changeset/config.json')) as {
      access: string
      baseBranch: string
      fixed: string[][]
      linked: string[][]
      ignore: string[]
    }
    expect([config.access, config.baseBranch]).toEqual(['public', 'main'])
    // One version for all: users see which belong together, and before 1.0 an adapter's `^0.1.0` cannot mix two minor
    // versions.
    expect(config.fixed).toEqual([['@p2pl/*']])
    const all = new Set(packages.map(({ manifest }) => manifest.name))
    expect([...config.linked.flat(), ...config.ignore].filter((name) => !all.has(name))).toEqual([])
  })
})

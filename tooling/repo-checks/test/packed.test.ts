import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { beforeAll, describe, expect, it } from 'vitest'
import { sourceCondition } from '../src/published.ts'
import { surprises, type Tarball, tarballs } from '../src/tarballs.ts'
import { published, root, type Manifest } from '../src/workspace.ts'

interface Sbom {
  readonly bomFormat: string
  readonly specVersion: string
  readonly components: readonly {
    readonly type: string
    readonly name: string
    readonly version: string
    readonly purl: string
    readonly licenses?: readonly { readonly expression: string }[]
    readonly hashes?: readonly { readonly alg: string; readonly content: string }[]
  }[]
}

describe('published tarballs', () => {
  let all: readonly Tarball[] = []
  const named = published.map(({ folder }) => [folder.slice('packages/'.length)])
  const of = (name: string): Tarball => {
    const found = all.find((tarball) => tarball.name === name)
    if (found === undefined) throw new Error(`${name} was not published`)
    return found
  }

  beforeAll(async () => {
    all = await tarballs()
  }, 300_000)

  it.each(named)('%s has the files of the list, each once', (name) => {
    const tarball = of(name)
    expect(surprises(tarball)).toEqual([])
    expect(new Set(tarball.paths).size).toBe(tarball.paths.length)
  })

  it('a file that nobody expects is found', () => {
    const { paths } = of('core')
    const more = [...paths.slice(1), 'test/a.test.ts', 'dist/notes.txt', '.env']
    expect(surprises({ name: 'core', paths: more })).toHaveLength(4)
  })

  it.each(named)('%s has a manifest for others, and the text of its licences', (name) => {
    const text = of(name).text('package.json')
    expect(text).not.toMatch(new RegExp(`${sourceCondition}|workspace:|catalog:|link:`))
    const manifest = JSON.parse(text) as Manifest
    expect(manifest.homepage).toMatch(/^https:.*#readme$/)
    expect(manifest.bugs?.url).toMatch(/^https:.*\/issues$/)
    expect(manifest.repository?.directory).toMatch(/^packages\//)
    expect(manifest.license).toBe('MIT OR Apache-2.0')
    // npm would run them on the machine of each user.
    expect(Object.keys(manifest.scripts ?? {}).filter((script) => /install$|^prepare/.test(script))).toEqual([])
    for (const licence of ['LICENSE.MIT', 'LICENSE.APACHE'])
      expect(of(name).text(licence)).toBe(readFileSync(join(root, licence), 'utf8'))
  })

  it('the libraries of a bundle are in its SBOM, each with the text of its licence', () => {
    const bundles = all.flatMap((tarball) =>
      tarball.paths.flatMap((path) => (path.endsWith('/sbom.cdx.json') ? [[tarball, path] as const] : []))
    )
    expect(bundles.length).toBeGreaterThan(3)
    for (const [tarball, path] of bundles) {
      const { bomFormat, specVersion, components } = JSON.parse(tarball.text(path)) as Sbom
      expect([bomFormat, specVersion]).toEqual(['CycloneDX', '1.6'])
      const notices = tarball.text(path.replace('sbom.cdx.json', 'THIRD-PARTY-NOTICES.txt')).split(/^={80}\n/m)
      expect(components).toHaveLength(notices.length - 1)
      for (const { type, name, version, purl, licenses, hashes } of components) {
        expect([type, purl]).toEqual(['library', `pkg:npm/${name.replace('@', '%40')}@${version}`])
        expect(licenses?.[0]?.expression).toMatch(/^[\w.-]+(?: (?:OR|AND) [\w.-]+)*$/)
        expect(hashes?.[0]).toEqual({ alg: 'SHA-512', content: expect.stringMatching(/^[0-9a-f]{128}$/) as string })
        const notice = notices.find((text) => text.startsWith(`${name} ${version} (`))
        expect(notice, name).toMatch(
          /Permission (?:is hereby granted|to use, copy)|Apache License|Redistribution and use/
        )
      }
    }
  })
})

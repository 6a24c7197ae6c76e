import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { sourceCondition } from '../src/published.ts'
import { pnpm, published, root, type Manifest } from '../src/workspace.ts'

/** What `pnpm publish` would send, without a build: manifests, licences, sources. */
describe('packed tarballs', () => {
  const place = mkdtempSync(join(tmpdir(), 'p2pl-packed-'))

  beforeAll(() => {
    const args = ['--yes', pnpm, '--recursive', '--filter', './packages/*', 'pack', '--pack-destination', place]
    execFileSync('npx', args, { cwd: root, stdio: 'pipe' })
  }, 120_000)

  afterAll(() => rmSync(place, { recursive: true }))

  const named = published.map(({ folder, manifest }) => [folder, manifest] as const)

  it.each(named)('%s has a manifest for others, the licences and its sources once', (_, { name, version }) => {
    const file = join(place, `${name.replace('@', '').replace('/', '-')}-${version}.tgz`)
    const paths = execFileSync('tar', ['tzf', file], { encoding: 'utf8' }).split('\n').filter(Boolean)
    const text = execFileSync('tar', ['xzOf', file, 'package/package.json'], { encoding: 'utf8' })
    expect(text).not.toMatch(new RegExp(`${sourceCondition}|workspace:|catalog:|link:`))
    const manifest = JSON.parse(text) as Manifest
    expect(manifest.homepage).toMatch(/^https:.*#readme$/)
    expect(manifest.bugs?.url).toMatch(/^https:.*\/issues$/)
    expect(manifest.repository?.directory).toMatch(/^packages\//)
    expect(manifest.license).toBe('MIT OR Apache-2.0')
    for (const licence of ['LICENSE.MIT', 'LICENSE.APACHE', 'README.md']) expect(paths).toContain(`package/${licence}`)
    expect(paths.filter((path) => /\/test\/|\.test\.|tsconfig|turbo\.json|\.tgz$/.test(path))).toEqual([])
    expect(new Set(paths).size).toBe(paths.length)
  })

  it('holds the text of each licence', () => {
    const [first] = published
    const file = join(place, `p2pl-${first?.folder.split('/')[1]}-${first?.manifest.version}.tgz`)
    for (const licence of ['LICENSE.MIT', 'LICENSE.APACHE'])
      expect(execFileSync('tar', ['xzOf', file, `package/${licence}`], { encoding: 'utf8' })).toBe(
        readFileSync(join(root, licence), 'utf8')
      )
  })
})

import { join, normalize } from 'node:path'
import { describe, expect, it } from 'vitest'
import { installScripts } from '../src/install-scripts.ts'
import { exists, published, read } from '../src/workspace.ts'

const site = 'https://github.com/p2pl/p2pl'
const link = /\]\(([^)\s]+)\)/g

/** What is wrong with a link of a README that users read in a registry or below `node_modules`. */
function fault(target: string, folder: string, files: readonly string[]): string | undefined {
  const [path = ''] = target.split('#')
  if (path.startsWith(site)) {
    const [, kind, inside = ''] = /^\/(blob|tree)\/main\/(.*)$/.exec(path.slice(site.length)) ?? []
    return path === site || (kind !== undefined && exists(inside)) ? undefined : 'leads to nothing'
  }
  if (path === '' || /^[a-z]+:/.test(path)) return undefined
  if (normalize(path).startsWith('..')) return `leaves the package: write ${site}/tree/main/…`
  const packed = files.includes(path.split('/')[0] ?? '')
  return packed && exists(join(folder, path)) ? undefined : 'is not in the package'
}

describe('the README of', () => {
  it.each(published.map(({ folder, manifest }) => [folder, manifest] as const))(
    '%s has links that work outside of the repository',
    (folder, { files = [] }) => {
      const wrong = [...read(`${folder}/README.md`).matchAll(link)].flatMap(([, target = '']) => {
        const reason = fault(target, folder, files)
        return reason === undefined ? [] : [`${target} ${reason}`]
      })
      expect(wrong).toEqual([])
    }
  )

  it.each(published.map(({ folder }) => [folder] as const))('%s says how pnpm installs it', (folder) => {
    const readme = read(`${folder}/README.md`)
    const unsaid = installScripts(folder).filter((name) => !readme.includes(`--allow-build=${name}`))
    expect(unsaid, 'pnpm 12 refuses install scripts that nobody has allowed').toEqual([])
  })

  it('a package is asked for it where it depends on LevelDB', () => {
    expect(installScripts('packages/sync')).toEqual(['classic-level'])
    expect(installScripts('packages/core')).toEqual([])
  })

  it('a package would be found out', () => {
    const faults = ['../core', 'src/none.ts', 'test/x.ts', `${site}/tree/main/none`, `${site}/wiki`]
    for (const target of faults) expect(fault(target, 'packages/core', ['src']), target).toBeDefined()
    for (const target of [site, '#part', 'https://example.org/', 'src/index.ts#L1', `${site}/tree/main/docs`])
      expect(fault(target, 'packages/core', ['src']), target).toBeUndefined()
  })
})

it('UPGRADING has a part for apps and one for adapter authors, each with its steps and a table for each version', () => {
  const parts = read('UPGRADING.md').split(/^## /m).slice(1)
  expect(parts.map((part) => part.split('\n')[0])).toEqual([
    'For apps',
    'For adapter and layer authors (`@p2pl/core/backend`)'
  ])
  for (const part of parts) expect(part).toMatch(/^```sh\n(?:npm .+\n)+```[^]*^### To \d+\.\d+\n\n\| was \| is \|$/m)
})

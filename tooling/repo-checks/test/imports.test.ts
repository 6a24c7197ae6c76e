import { describe, expect, it } from 'vitest'
import { dependencies, mayImport } from '../src/allowed.ts'
import { boundaries, overrides, table } from '../src/generated.ts'
import { roomOf, rooms, tagOf } from '../src/rooms.ts'
import { importsOf } from '../src/source.ts'
import { exists, filesBelow, packages, read } from '../src/workspace.ts'

const remedy =
  'edit tooling/repo-checks/src/rooms.ts, then run `npx pnpm@12 --filter @p2pl/tooling-repo-checks run write`'
const found = packages.flatMap(({ folder, manifest }) => {
  const room = roomOf(folder)
  return room === undefined ? [] : [[folder, room, manifest] as const]
})

describe('imports', () => {
  it('have a row for every package, app and example, and no row without one', () => {
    const expected = packages.map(({ folder }) => folder).filter((folder) => !folder.startsWith('tooling/'))
    expect(
      expected.filter((folder) => roomOf(folder) === undefined),
      remedy
    ).toEqual([])
    expect(
      Object.keys(rooms).filter((folder) => rooms[folder]?.planned !== true && !exists(`${folder}/package.json`)),
      remedy
    ).toEqual([])
  })

  it.each(found)('%s imports what its room may', (folder, room) => {
    const paths = [...filesBelow(`${folder}/src`, '.ts'), ...filesBelow(`${folder}/src`, '.tsx')]
    const wrong = paths.flatMap((path) =>
      importsOf(read(path))
        .filter(({ specifier }) => !mayImport(room, path.slice(`${folder}/src/`.length), specifier))
        .map(({ specifier }) => `${path} imports ${specifier}`)
    )
    expect(wrong).toEqual([])
  })

  it.each(found)('%s depends on nothing of ours that it may not import', (_, room, manifest) => {
    const ours = (group: Readonly<Record<string, string>> = {}): string[] =>
      Object.keys(group).flatMap((name) => (name.startsWith('@p2pl/') ? [name.slice('@p2pl/'.length)] : []))
    const free = [...dependencies(room), ...(room.tests ?? [])]
    expect(ours(manifest.dependencies).filter((name) => !free.includes(name))).toEqual([])
    expect(
      ours(manifest.devDependencies).filter((name) => !free.includes(name) && !name.startsWith('tooling-'))
    ).toEqual([])
  })

  it('stay inside of the package where paths are relative', () => {
    const wrong = packages.flatMap(({ folder }) =>
      filesBelow(folder, '.ts').flatMap((path) => {
        const depth = path.split('/').length - folder.split('/').length - 1
        return importsOf(read(path))
          .filter(({ specifier }) => (/^(?:\.\.\/)*/.exec(specifier)?.[0].length ?? 0) / 3 > depth)
          .map(({ specifier }) => `${path} imports ${specifier}`)
      })
    )
    expect(wrong).toEqual([])
  })
})

describe('the table of rooms', () => {
  const json = (path: string): Record<string, unknown> => JSON.parse(read(path)) as Record<string, unknown>

  it('is that of turbo', () => {
    expect(json('turbo.json')['boundaries'], remedy).toEqual(boundaries())
    for (const { folder } of packages)
      expect([folder, json(`${folder}/turbo.json`)['tags']], remedy).toEqual([folder, [tagOf(folder)]])
  })

  it('is that of oxlint', () => {
    const all = json('.oxlintrc.json')['overrides'] as { rules: object }[]
    expect(
      all.filter(({ rules }) => 'no-restricted-imports' in rules),
      remedy
    ).toEqual(overrides())
  })

  it('stands in ARCHITECTURE', () => {
    expect(read('ARCHITECTURE.md').includes(table()), remedy).toBe(true)
  })
})

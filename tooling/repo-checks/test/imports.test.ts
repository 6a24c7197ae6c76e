import { packageOf } from '@p2pl/tooling-tsup/packages'
import { describe, expect, it } from 'vitest'
import { importsOf, isRelative } from '../src/source.ts'
import { filesBelow, packages, read } from '../src/workspace.ts'

const anyEngine = Symbol('any engine')

interface Room {
  /** Doors of ours that `src` may import. */
  readonly ours: readonly string[]
  /** Packages of others that `src` may import; an adapter may import whatever its engine consists of. */
  readonly theirs: readonly string[] | typeof anyEngine
  /** Whether it needs Node, or which of its files do: everything else also runs in browsers. */
  readonly node?: true | readonly string[]
}

const app = ['@p2pl/core', '@p2pl/sync', '@p2pl/layers', '@p2pl/config', '@p2pl/unixfs']

/** The table of ARCHITECTURE. Whoever changes one changes the other. */
const rooms: Readonly<Record<string, Room>> = {
  'packages/core': { ours: [], theirs: ['multiformats', '@ipld/dag-cbor', '@ipld/dag-pb', 'ipfs-unixfs'] },
  'packages/unixfs': {
    ours: ['@p2pl/core', '@p2pl/core/backend'],
    theirs: ['multiformats', 'ipfs-unixfs', 'ipfs-unixfs-importer', 'ipfs-unixfs-exporter', '@ipld/dag-pb'],
    node: ['node.ts']
  },
  'packages/conformance': { ours: ['@p2pl/core/backend'], theirs: ['multiformats', '@ipld/dag-cbor', '@ipld/dag-pb'] },
  'packages/layers': { ours: ['@p2pl/core/backend'], theirs: ['multiformats'] },
  'packages/sync': { ours: ['@p2pl/core', '@p2pl/core/backend'], theirs: ['multiformats', '@ipld/dag-cbor', 'abstract-level', 'level'] },
  'packages/memory': { ours: ['@p2pl/core/backend'], theirs: ['multiformats', '@ipld/dag-cbor', '@ipld/dag-pb'] },
  'packages/simulator': { ours: ['@p2pl/core/backend', '@p2pl/memory'], theirs: ['multiformats'] },
  'packages/embedded': {
    ours: ['@p2pl/core/backend'],
    theirs: ['multiformats', '@ipld/dag-cbor', '@ipld/dag-pb', 'level']
  },
  'packages/helia': {
    ours: ['@p2pl/core/backend', '@p2pl/embedded'],
    theirs: anyEngine,
    node: ['runtime/digest.node.ts', 'runtime/parts.node.ts', 'runtime/signer.node.ts']
  },
  'packages/ipfs-rpc': { ours: ['@p2pl/core/backend'], theirs: anyEngine, node: true },
  'packages/bittorrent': { ours: ['@p2pl/core/backend', '@p2pl/embedded'], theirs: anyEngine, node: true },
  'packages/config': {
    ours: ['@p2pl/core', '@p2pl/layers'],
    theirs: ['fastest-levenshtein', 'valibot', 'yaml'],
    node: true
  },
  'apps/ledger': {
    ours: app,
    theirs: ['multiformats', '@ipld/car', '@ipld/dag-cbor', 'commander', 'level'],
    node: true
  }
}

function allowed(room: Room, file: string, specifier: string): boolean {
  if (isRelative(specifier) || specifier.startsWith('#')) return true
  if (specifier.startsWith('node:')) return room.node === true || room.node?.includes(file) === true
  if (specifier.startsWith('@p2pl/'))
    return room.ours.some((door) => specifier === door || (door !== '@p2pl/core' && specifier.startsWith(`${door}/`)))
  return room.theirs === anyEngine || room.theirs.includes(packageOf(specifier))
}

describe('imports', () => {
  it('has a row for every package and app', () => {
    const expected = packages.map(({ folder }) => folder).filter((folder) => !folder.startsWith('tooling/'))
    expect(Object.keys(rooms).toSorted()).toEqual(expected.toSorted())
  })

  it.each(Object.entries(rooms))('%s imports what its room may', (folder, room) => {
    const wrong = filesBelow(`${folder}/src`, '.ts').flatMap((path) =>
      importsOf(read(path))
        .filter(({ specifier }) => !allowed(room, path.slice(`${folder}/src/`.length), specifier))
        .map(({ specifier }) => `${path} imports ${specifier}`)
    )
    expect(wrong).toEqual([])
  })

  it.each(Object.entries(rooms))('%s depends at run time on nothing of ours that it may not import', (folder, room) => {
    const { dependencies } = packages.find((member) => member.folder === folder)!.manifest
    const doors = new Set(room.ours.map(packageOf))
    // An app brings the adapters that its configuration may name; it still imports none of them.
    const adapters = folder.startsWith('apps/') ? ['helia', 'memory', 'ipfs-rpc', 'bittorrent'] : []
    const wrong = Object.keys(dependencies ?? {}).filter(
      (name) => name.startsWith('@p2pl/') && !doors.has(name) && !adapters.includes(name.slice('@p2pl/'.length))
    )
    expect(wrong).toEqual([])
  })

  it('stays inside of its package with relative paths', () => {
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

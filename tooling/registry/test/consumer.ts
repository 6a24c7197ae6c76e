import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { root } from '../src/tree.ts'

/** The folders below `packages`. */
export const names: readonly string[] = readdirSync(join(root, 'packages')).toSorted()

interface Manifest {
  readonly version: string
  readonly exports: Readonly<Record<string, unknown>>
  readonly peerDependencies?: Readonly<Record<string, string>>
}

/** Packages that some doors need and that an app already has. */
export const peers: readonly string[] = names
  .flatMap((name) => Object.keys(manifestBelow(join(root, 'packages'), name).peerDependencies ?? {}))
  .filter((name) => !name.startsWith('@p2pl/'))

/** All of our packages, for a package manager. */
export const everything: readonly string[] = [...names.map((name) => `@p2pl/${name}`), ...peers]

/** The manifest of a package installed in a folder. */
export function installed(folder: string, name: string): Manifest {
  return manifestBelow(join(folder, 'node_modules/@p2pl'), name)
}

/** The import paths that an installed package offers an app: `@p2pl/core/backend`. */
export function doorsOf(folder: string, name: string): string[] {
  const doors = Object.keys(installed(folder, name).exports)
  return doors.filter((door) => !door.endsWith('.json')).map((door) => join('@p2pl', name, door))
}

function manifestBelow(folder: string, name: string): Manifest {
  return JSON.parse(readFileSync(join(folder, name, 'package.json'), 'utf8')) as Manifest
}

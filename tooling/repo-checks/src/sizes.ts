import { existsSync, readdirSync, readFileSync, realpathSync, statSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { tarballs } from './tarballs.ts'
import { root, type Manifest } from './workspace.ts'

export const sizesStart = '<!-- sizes -->'
export const sizesEnd = '<!-- /sizes -->'

export interface Cost {
  /** The folder below `packages`. */
  readonly name: string
  /** The number of packages that npm installs for it, including itself. */
  readonly packages: number
  readonly bytes: number
}

/**
 * The cost of each package in an empty folder: third-party packages in the versions of the lockfile, our own as they
 * are published.
 */
export async function costs(): Promise<readonly Cost[]> {
  const own = new Map((await tarballs()).map(({ name, bytes }) => [join(root, 'packages', name), bytes]))
  return [...own.keys()].map((folder) => {
    const all = closure(folder)
    const bytes = [...all].reduce((sum, each) => sum + (own.get(each) ?? bytesBelow(each)), 0)
    return { name: folder.slice(dirname(folder).length + 1), packages: all.size, bytes }
  })
}

/** The folders of a package and of all its direct and indirect dependencies. */
function closure(folder: string, seen: Set<string> = new Set<string>()): Set<string> {
  if (seen.has(folder)) return seen
  seen.add(folder)
  const { dependencies, optionalDependencies } = JSON.parse(
    readFileSync(join(folder, 'package.json'), 'utf8')
  ) as Manifest
  for (const name of Object.keys({ ...dependencies, ...optionalDependencies })) {
    const found = placesOf(folder, name).find((path) => existsSync(path))
    // Optional ones exist only on the platform that they are for.
    if (found !== undefined) closure(realpathSync(found), seen)
  }
  return seen
}

/** pnpm puts the dependencies of a package next to it; those of our packages are below it. */
function placesOf(folder: string, name: string): string[] {
  const [beside = ''] = /^.*\/node_modules(?=\/)/.exec(folder) ?? []
  return [join(folder, 'node_modules', name), ...(beside === '' ? [] : [join(beside, name)])]
}

function bytesBelow(folder: string): number {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .reduce((sum, entry) => sum + statSync(join(entry.parentPath, entry.name)).size, 0)
}

/** The table of the README, including the lines around it. */
export function sizesTable(all: readonly Cost[]): string {
  const rows = all.map(
    ({ name, packages, bytes }) => `| \`@p2pl/${name}\` | ${packages} | ${(bytes / 1e6).toFixed(1)} MB |`
  )
  return [sizesStart, '', '| | packages | size |', '| --- | --- | --- |', ...rows, '', sizesEnd].join('\n')
}

/** The figures in the table of a README. */
export function parseSizes(readme: string): readonly Cost[] {
  const table = readme.slice(readme.indexOf(sizesStart), readme.indexOf(sizesEnd))
  return [...table.matchAll(/^\| `@p2pl\/(\S+)` \| (\d+) \| ([\d.]+) MB \|$/gm)].map(
    ([, name = '', packages, megabytes]) => ({ name, packages: Number(packages), bytes: Number(megabytes) * 1e6 })
  )
}

import { execFileSync } from 'node:child_process'
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { publishedPackages } from '@p2pl/tooling-registry'
import { read } from './workspace.ts'

/** A package as a release publishes it. */
export interface Tarball {
  /** Its folder below `packages`. */
  readonly name: string
  /** Paths of all files, relative to the package. */
  readonly paths: readonly string[]
  /** The total size of all files in bytes. */
  readonly bytes: number
  text(path: string): string
}

/** All packages of this tree. The first call of a test run builds and publishes them. */
export async function tarballs(): Promise<readonly Tarball[]> {
  const folder = join(await publishedPackages(), '@p2pl')
  return readdirSync(folder).map((name) => {
    const file = join(folder, name, readdirSync(join(folder, name)).find((entry) => entry.endsWith('.tgz')) ?? '')
    const tar = (...args: string[]): string => execFileSync('tar', args, { encoding: 'utf8', maxBuffer: 1 << 26 })
    const paths = tar('tzf', file)
      .split('\n')
      .filter((path) => path !== '' && !path.endsWith('/'))
      .map((path) => path.slice('package/'.length))
    const bytes = Number(execFileSync('sh', ['-c', 'tar xzOf "$0" | wc -c', file], { encoding: 'utf8' }))
    return { name, paths, bytes, text: (path: string) => tar('xzOf', file, `package/${path}`) }
  })
}

const needed = ['package.json', 'README.md', 'LICENSE.MIT', 'LICENSE.APACHE']
const code = /^src\/.+\.tsx?$|^dist\/.+\.(?:js|d\.ts)(?:\.map)?$/
const carried = ['dist/THIRD-PARTY-NOTICES.txt', 'dist/sbom.cdx.json']

/** The contents of a package in addition to its code: files, or folders with a slash. */
const extras: Readonly<Record<string, readonly string[]>> = {
  bittorrent: ['PROTOCOL.md'],
  cli: ['bin/p2pl.cjs'],
  'create-adapter': ['bin/create-adapter.mjs', 'template/'],
  helia: ['PROTOCOL.md', ...carried.map((path) => path.replace('dist/', 'dist/browser/'))]
}

/** The packages that carry third-party libraries, as they were reviewed. */
const carriers = new Set(
  Object.values((JSON.parse(read('tooling/tsup/carried.json')) as { carried: Record<string, string> }).carried).flatMap(
    (words) => words.split(' ').slice(1)
  )
)

/** Files that a tarball lacks, and files that it should not have. */
export function surprises({ name, paths }: Pick<Tarball, 'name' | 'paths'>): string[] {
  const listed = [...needed, ...(extras[name] ?? []), ...(carriers.has(name) ? carried : [])]
  const isListed = (path: string): boolean =>
    listed.some((entry) => (entry.endsWith('/') ? path.startsWith(entry) : path === entry))
  const missing = listed.filter((entry) => !entry.endsWith('/') && !paths.includes(entry))
  return [
    ...missing.map((path) => `${path} is missing`),
    ...paths.filter((path) => !code.test(path) && !isListed(path)).map((path) => `${path} is not on the list`)
  ]
}

import { readdirSync, readFileSync } from 'node:fs'
import { basename, join, resolve } from 'node:path'

/** The folder of the workspace. */
export const root: string = resolve(import.meta.dirname, '../../..')
/** The base of links in READMEs that leave their package. */
export const repository = 'https://github.com/p2pl/p2pl'

/** A file of the repository that is a page of the site without changes. */
export interface Document {
  /** Relative to the workspace: `packages/core/README.md`. */
  readonly file: string
  /** The name of the page, below its folder in `pages`: `core`. */
  readonly name: string
}

/** The documents, by the folder of their pages. */
export const documents: Readonly<Record<string, readonly Document[]>> = {
  packages: folders('packages').map((name) => ({ file: `packages/${name}/README.md`, name })),
  examples: [
    ...folders('examples').map((name) => ({ file: `examples/${name}/README.md`, name })),
    { file: 'apps/ledger/README.md', name: 'ledger' }
  ],
  project: [
    { file: 'ARCHITECTURE.md', name: 'architecture' },
    { file: 'CONTRIBUTING.md', name: 'contributing' },
    { file: 'SECURITY.md', name: 'security' },
    { file: 'UPGRADING.md', name: 'upgrading' },
    { file: 'tooling/bench/README.md', name: 'benchmarks' },
    { file: 'tooling/netlab/README.md', name: 'netlab' },
    { file: 'packages/helia/PROTOCOL.md', name: 'blocks-protocol' },
    { file: 'packages/bittorrent/PROTOCOL.md', name: 'bittorrent-protocol' }
  ],
  guide: [{ file: 'docs/ids.md', name: 'ids' }],
  decisions: readdirSync(join(root, 'docs/decisions'))
    .toSorted()
    .map((file) => ({
      file: `docs/decisions/${file}`,
      name: file === 'README.md' ? 'all' : basename(file, '.md')
    }))
}

function folders(group: string): string[] {
  const all = readdirSync(join(root, group), { withFileTypes: true })
  return all
    .filter((entry) => entry.isDirectory() && readdirSync(join(root, group, entry.name)).includes('README.md'))
    .map(({ name }) => name)
    .toSorted()
}

export function read(file: string): string {
  return readFileSync(join(root, file), 'utf8')
}

/** The first heading of a document. */
export function titleOf({ file }: Document): string {
  return /^# (.+)$/m.exec(read(file))?.[1]?.replaceAll('`', '') ?? file
}

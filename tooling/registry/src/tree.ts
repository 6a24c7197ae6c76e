import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { cpSync, existsSync, readdirSync, readFileSync, symlinkSync } from 'node:fs'
import { homedir } from 'node:os'
import { join, resolve } from 'node:path'

/** The folder of the workspace. */
export const root: string = resolve(import.meta.dirname, '../../..')

const { scripts } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { scripts: { test: string } }

/** The version of pnpm that the workspace's scripts run, for `npx`. */
export const pnpm: string = /pnpm@[\d.]+/.exec(scripts.test)?.[0] ?? 'pnpm'

/** A folder that survives the run, shared by all clones of a user: `P2PL_CACHE`, otherwise `~/.cache/p2pl`. */
export const cache: string = join(process.env['P2PL_CACHE'] ?? join(homedir(), '.cache', 'p2pl'), 'registry')

/** Files that are tracked or about to be: all files except those that git ignores. */
export function filesOfTree(): string[] {
  const args = ['ls-files', '--cached', '--others', '--exclude-standard']
  return execFileSync('git', args, { cwd: root, encoding: 'utf8', maxBuffer: 1 << 26 })
    .split('\n')
    .filter((path) => path !== '' && existsSync(join(root, path)))
}

const ofNoPackage = /^(?:apps|docs|examples|tooling\/(?!(?:tsup|registry)\/src\/))|^packages\/[^/]+\/test\//

/** A hash that is equal for equal packages, whatever folder the tree is in. */
export function hashOfPackages(): string {
  const hash = createHash('sha256')
  for (const path of filesOfTree().toSorted())
    if (!ofNoPackage.test(path))
      hash.update(`${path}\0`).update(
        createHash('sha256')
          .update(readFileSync(join(root, path)))
          .digest()
      )
  return hash.digest('hex').slice(0, 32)
}

/**
 * Copies the tree with its build results. Third-party packages stay where they are; links to packages of the workspace
 * lead into the copy.
 */
export function copyTree(to: string): void {
  for (const path of filesOfTree()) cpSync(join(root, path), join(to, path))
  for (const name of readdirSync(join(root, 'packages')))
    for (const part of ['dist', 'node_modules']) {
      const from = join(root, 'packages', name, part)
      if (existsSync(from)) cpSync(from, join(to, 'packages', name, part), { recursive: true, verbatimSymlinks: true })
    }
  symlinkSync(join(root, 'node_modules'), join(to, 'node_modules'), 'dir')
}

import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { withBuildLock } from '@p2pl/tooling-go-tool/build-lock'
import type { Registry } from './registry.ts'
import { run } from './run.ts'
import { copyTree, pnpm, root } from './tree.ts'

/** Builds every package of the tree, or uses turbo's cached results. Any number of processes may call it at once. */
async function build(): Promise<void> {
  const command = ['--yes', pnpm, 'exec', 'turbo', 'run', 'build', '--filter=./packages/*', '--output-logs=errors-only']
  await withBuildLock(
    join(root, 'node_modules', '.build.lock'),
    () => {},
    async () => await run('npx', command, { cwd: root })
  )
}

/**
 * Builds the packages of the tree and publishes them like the release workflow: changesets set the versions, then pack
 * and publish. It all happens in a copy of the tree. With `change`, the copy is changed after that release, and the
 * next release is published.
 */
export async function release(registry: Registry, change?: (tree: string) => Promise<void>): Promise<void> {
  await build()
  const tree = mkdtempSync(join(tmpdir(), 'p2pl-release-'))
  try {
    copyTree(tree)
    // Third-party packages are those of the copied tree. They must not be installed again.
    const env = { ...registry.env, PNPM_CONFIG_VERIFY_DEPS_BEFORE_RUN: 'false' }
    const git = async (...args: string[]): Promise<string> => await run('git', args, { cwd: tree, env })
    const commit = async (): Promise<void> => {
      await git('add', '--all')
      await git('commit', '--quiet', '--no-verify', '--message', 'release')
    }
    const version = async (): Promise<void> => {
      await commit()
      await run('pnpm', ['run', 'version'], { cwd: tree, env })
      await commit()
    }
    await git('init', '--quiet', '--initial-branch', 'main')
    const settings = {
      'user.name': 'release',
      'user.email': 'release@localhost',
      'commit.gpgsign': 'false',
      'tag.gpgsign': 'false'
    }
    for (const [name, value] of Object.entries(settings)) await git('config', name, value)
    await version()
    if (change !== undefined) {
      await change(tree)
      await version()
    }
    const packed = join(tree, '.packed')
    await run('pnpm', ['exec', 'changeset', 'pack', '--out-dir', packed], { cwd: tree, env })
    await run('pnpm', ['exec', 'changeset', 'publish', '--from-pack-dir', packed], { cwd: tree, env })
  } finally {
    rmSync(tree, { recursive: true, force: true, maxRetries: 3 })
  }
}

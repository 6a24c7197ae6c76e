import { existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Registry } from './registry.ts'
import { run } from './run.ts'

export const managers = ['npm', 'pnpm', 'yarn'] as const
export type Manager = (typeof managers)[number]

/**
 * The commands that a user types in a folder. The package managers decide about install scripts, and refuse them by
 * default.
 */
const commands: Readonly<Record<Manager, readonly string[]>> = {
  npm: ['install'],
  pnpm: ['add', '--allow-build=classic-level'],
  yarn: ['add']
}

/** Installs packages into a folder, which is created if needed. Resolves with the output of the package manager. */
export async function install(
  registry: Registry,
  folder: string,
  packages: readonly string[],
  manager: Manager = 'npm'
): Promise<string> {
  mkdirSync(folder, { recursive: true })
  const write = (name: string, text: string): void => {
    if (!existsSync(join(folder, name))) writeFileSync(join(folder, name), text)
  }
  write('package.json', JSON.stringify({ name: 'app', private: true, type: 'module' }))
  if (manager === 'yarn') {
    // Without its own lockfile, a folder would belong to the project around it.
    write('yarn.lock', '')
    write('.yarnrc.yml', 'nodeLinker: node-modules\n')
  }
  return await run(manager, [...commands[manager], ...packages], { cwd: folder, env: registry.env })
}

import { existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Registry } from './registry.ts'
import { run } from './run.ts'

export const managers = ['npm', 'pnpm', 'yarn'] as const
export type Manager = (typeof managers)[number]

/** What a user types in a folder of theirs. Install scripts are left to the package managers, which refuse them by default. */
const commands: Readonly<Record<Manager, readonly string[]>> = {
  npm: ['install'],
  pnpm: ['add', '--allow-build=classic-level'],
  yarn: ['add']
}

/** Installs packages into a folder, which is made where it does not exist. Gives what the package manager prints. */
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
    // Without a lockfile of its own, a folder is a part of the project around it.
    write('yarn.lock', '')
    write('.yarnrc.yml', 'nodeLinker: node-modules\n')
  }
  return await run(manager, [...commands[manager], ...packages], { cwd: folder, env: registry.env })
}

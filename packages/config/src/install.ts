import { existsSync } from 'node:fs'
import { dirname, join } from 'node:path'
import process from 'node:process'

const lockfiles = [
  ['pnpm-lock.yaml', 'pnpm add'],
  ['yarn.lock', 'yarn add'],
  ['bun.lock', 'bun add'],
  ['package-lock.json', 'npm install']
] as const

/**
 * The command that adds a package to the project around a folder. Its lockfile decides the package manager, or else the one
 * that runs this process.
 */
export function installCommand(
  name: string,
  directory: string,
  userAgent: string | undefined = process.env['npm_config_user_agent']
): string {
  for (let folder = directory; ; folder = dirname(folder)) {
    for (const [lockfile, command] of lockfiles) if (existsSync(join(folder, lockfile))) return `${command} ${name}`
    if (dirname(folder) === folder) break
  }
  const manager = userAgent?.split('/')[0] ?? 'npm'
  return `${['pnpm', 'yarn', 'bun'].includes(manager) ? `${manager} add` : 'npm install'} ${name}`
}

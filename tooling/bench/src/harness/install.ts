import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'

/**
 * Installs the packages that we compare with, according to their lockfile. No install script runs, because the packages
 * contain their binaries.
 */
export async function installAlternatives(): Promise<void> {
  const cwd = fileURLToPath(new URL('../../alternatives/', import.meta.url))
  const args = ['--yes', 'pnpm@12.21.0', 'install', '--frozen-lockfile', '--ignore-scripts']
  // The stdout of a benchmark is its result.
  const child = spawn('npx', args, { cwd, stdio: ['ignore', 2, 2], shell: process.platform === 'win32' })
  const [code] = (await once(child, 'exit')) as [number | null]
  if (code !== 0) throw new Error(`the alternatives could not be installed: pnpm ended with ${String(code)}`)
}

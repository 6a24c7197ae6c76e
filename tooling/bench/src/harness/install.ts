import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'

/** Installs what we compare with, as its lockfile says. No install script runs: the packages bring their binaries along. */
export async function installAlternatives(): Promise<void> {
  const cwd = fileURLToPath(new URL('../../alternatives/', import.meta.url))
  const args = ['--yes', 'pnpm@12.21.0', 'install', '--frozen-lockfile', '--ignore-scripts']
  // What a benchmark prints to stdout is its result.
  const child = spawn('npx', args, { cwd, stdio: ['ignore', 2, 2], shell: process.platform === 'win32' })
  const [code] = (await once(child, 'exit')) as [number | null]
  if (code !== 0) throw new Error(`the alternatives could not be installed: pnpm ended with ${String(code)}`)
}

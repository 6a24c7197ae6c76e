import { existsSync, mkdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { withBuildLock } from '@p2pl/tooling-go-tool/build-lock'
import { run } from './run.ts'
import { cache, pnpm } from './tree.ts'

const folder = fileURLToPath(new URL('../programs/', import.meta.url))

/** The path of a file of the programs that `installPrograms` installs. */
export function programFile(path: string): string {
  return `${folder}node_modules/${path}`
}

/** Installs the programs on first use, according to their lockfile. Any number of processes may call it at once. */
export async function installPrograms(): Promise<void> {
  if (areInstalled()) return
  mkdirSync(cache, { recursive: true })
  await withBuildLock(
    join(cache, 'programs.lock'),
    () => {},
    async () => {
      if (!areInstalled())
        await run('npx', ['--yes', pnpm, 'install', '--frozen-lockfile', '--ignore-scripts'], { cwd: folder })
    }
  )
}

function areInstalled(): boolean {
  const installed = programFile('.modules.yaml')
  return existsSync(installed) && statSync(installed).mtimeMs >= statSync(`${folder}pnpm-lock.yaml`).mtimeMs
}

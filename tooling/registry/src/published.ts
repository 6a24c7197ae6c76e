import { cpSync, existsSync, mkdirSync, readdirSync, renameSync, rmSync, statSync, utimesSync } from 'node:fs'
import { join } from 'node:path'
import { withBuildLock } from '@p2pl/tooling-go-tool/build-lock'
import { startRegistry, type Registry } from './registry.ts'
import { release } from './release.ts'
import { cache, hashOfPackages } from './tree.ts'

const hourInMs = 3_600_000

/**
 * Starts a registry with the packages of this tree. They are built and published once for the same files. Every caller
 * gets a separate registry, so nobody else sees what it publishes.
 */
export async function publishedRegistry(): Promise<Registry> {
  return await startRegistry(await publishedPackages())
}

/** The folder with the published packages of this tree, in the registry's layout: `@p2pl/core/core-0.1.0.tgz`. */
export async function publishedPackages(): Promise<string> {
  const trees = join(cache, 'trees')
  const folder = join(trees, hashOfPackages())
  if (isInUse(folder)) return folder
  mkdirSync(trees, { recursive: true })
  return await withBuildLock(
    `${folder}.lock`,
    () => {},
    async () => {
      if (isInUse(folder)) return folder
      for (const old of readdirSync(trees))
        // Another clone may have removed it meanwhile.
        if (Date.now() - (statSync(join(trees, old), { throwIfNoEntry: false })?.mtimeMs ?? Infinity) > hourInMs)
          rmSync(join(trees, old), { recursive: true, force: true })
      const registry = await startRegistry()
      const partial = `${folder}.${process.pid}.partial`
      try {
        await release(registry)
        cpSync(registry.published, partial, { recursive: true })
        // A folder with its final name is always complete.
        rename(partial, folder)
      } finally {
        await registry.stop()
        rmSync(partial, { recursive: true, force: true })
      }
      return folder
    }
  )
}

/** Whether the folder exists. If so, marks it as used: other processes remove folders that were unused for an hour. */
function isInUse(folder: string): boolean {
  try {
    utimesSync(folder, new Date(), new Date())
    return true
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return false
    throw error
  }
}

/** Two processes may publish the same packages because one believed the other dead. Then the first result counts. */
function rename(partial: string, folder: string): void {
  try {
    renameSync(partial, folder)
  } catch (error) {
    if (!existsSync(folder)) throw error
  }
}

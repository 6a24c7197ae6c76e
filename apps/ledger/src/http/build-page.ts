import { execFile } from 'node:child_process'
import { readdir, rename, rm, stat } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import process from 'node:process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { LedgerError } from '../errors.ts'
import { explorerFolder } from './page.ts'

const folder = fileURLToPath(explorerFolder)
const sources = ['src', 'index.html', 'vite.config.ts', 'package.json']

/** Whether the page was built after the last change of its sources. */
export async function isPageBuilt(): Promise<boolean> {
  const built = await changedAt(join(folder, 'dist/index.html'))
  return built > 0 && built >= (await newest(sources.map((name) => join(folder, name))))
}

/** Builds the page in a separate process. Servers serve the old page until the new one is complete. */
export async function buildPage(signal?: AbortSignal): Promise<void> {
  const vite = dirname(createRequire(join(folder, 'package.json')).resolve('vite/package.json'))
  const made = join(folder, `node_modules/.cache/page-${process.pid}`)
  const arguments_ = [join(vite, 'bin/vite.js'), 'build', '--outDir', made, '--emptyOutDir', '--logLevel', 'error']
  try {
    await promisify(execFile)(process.execPath, arguments_, { cwd: folder, signal })
    await replace(join(folder, 'dist'), made, isPageBuilt)
  } catch (cause) {
    await rm(made, { recursive: true, force: true })
    const { stderr = '', message } = cause as Error & { stderr?: string }
    throw new LedgerError(
      'UNAVAILABLE',
      `the page could not be built: ${(stderr || message).trim().slice(0, 500)}`,
      cause
    )
  }
}

/**
 * Moves a folder to a place. One that is there is replaced unless it `isNew`: another process made it in the meantime, and servers
 * hand it out already, so it must not be gone for a moment.
 */
export async function replace(place: string, made: string, isNew: () => Promise<boolean>): Promise<void> {
  const old = `${made}-old`
  if (!(await moved(made, place)) && !(await isNew())) {
    await rename(place, old).catch(unless(['ENOENT']))
    await rename(made, place).catch(unless(['ENOTEMPTY', 'EEXIST']))
  }
  for (const rest of [old, made]) await rm(rest, { recursive: true, force: true })
}

/** `false` where the place is taken. */
async function moved(made: string, place: string): Promise<boolean> {
  // Windows says EPERM.
  return await rename(made, place).then(() => true, unless(['ENOTEMPTY', 'EEXIST', 'EPERM']))
}

function unless(codes: readonly string[]): (error: NodeJS.ErrnoException) => false {
  return (error) => {
    if (!codes.includes(error.code ?? '')) throw error
    return false
  }
}

async function newest(paths: readonly string[]): Promise<number> {
  const times = await Promise.all(
    paths.map(async (path) => {
      const own = await changedAt(path)
      const inside = await readdir(path, { recursive: true }).catch(() => [])
      return Math.max(own, ...(await Promise.all(inside.map(async (name) => await changedAt(join(path, name))))))
    })
  )
  return Math.max(...times)
}

async function changedAt(path: string): Promise<number> {
  return (await stat(path).catch(() => undefined))?.mtimeMs ?? 0
}

import { constants } from 'node:fs'
import { access, mkdir, rename, rm } from 'node:fs/promises'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { withBuildLock } from './build-lock.ts'
import { build, buildKey, goVersion, pinnedVersion } from './go-build.ts'
import { KuboUnavailableError } from './unavailable.ts'

export interface EnsureKuboOptions {
  /** One line of progress at a time, for a person. Default: to standard error. */
  onProgress?: ((line: string) => void) | undefined
  /** Where binaries are kept. Default `P2PL_CACHE`, else `~/.cache/p2pl`. */
  cache?: string | undefined
}

let running: Promise<string> | undefined

/**
 * The path of a Kubo binary: `KUBO_BINARY` if it is set, else the pinned version, built on first use (some minutes)
 * into a cache. Any number of processes may call it at once. Throws {@link KuboUnavailableError}.
 */
export async function ensureKubo(options: EnsureKuboOptions = {}): Promise<string> {
  const given = process.env['KUBO_BINARY']
  if (given !== undefined && given !== '') {
    if (await isExecutable(given)) return given
    throw new KuboUnavailableError(
      'binary',
      `KUBO_BINARY names "${given}", which cannot be executed; correct or unset it`
    )
  }
  running ??= provide(options).finally(() => {
    running = undefined
  })
  return await running
}

async function provide(options: EnsureKuboOptions): Promise<string> {
  const onProgress = options.onProgress ?? ((line: string) => process.stderr.write(`${line}\n`))
  const cache = options.cache ?? process.env['P2PL_CACHE'] ?? join(homedir(), '.cache', 'p2pl')
  const folder = join(cache, 'kubo', buildKey(await goVersion()))
  const binary = join(folder, process.platform === 'win32' ? 'ipfs.exe' : 'ipfs')
  if (await isExecutable(binary)) return binary
  await mkdir(folder, { recursive: true })
  return await withBuildLock(
    join(folder, 'lock'),
    () => onProgress(`kubo: another process builds Kubo ${pinnedVersion()}; waiting for it`),
    async () => {
      if (await isExecutable(binary)) return binary
      await buildInto(folder, binary, onProgress)
      return binary
    }
  )
}

async function buildInto(folder: string, binary: string, onProgress: (line: string) => void): Promise<void> {
  const started = performance.now()
  const seconds = (): string => `${Math.round((performance.now() - started) / 1000)} s`
  let compiled = 0
  onProgress(`kubo: building Kubo ${pinnedVersion()} (once; three to four minutes on two cores)`)
  const ticker = setInterval(() => onProgress(`kubo: ${compiled} packages compiled, ${seconds()}`), 10_000)
  // Written under another name first: a binary under its final name is always whole.
  const partial = join(folder, `ipfs.${process.pid}.partial`)
  try {
    await build(partial, (count) => {
      compiled = count
    })
    await rename(partial, binary)
    onProgress(`kubo: built in ${seconds()}: ${binary}`)
  } finally {
    clearInterval(ticker)
    await rm(partial, { force: true })
  }
}

async function isExecutable(path: string): Promise<boolean> {
  return await access(path, constants.X_OK).then(
    () => true,
    () => false
  )
}

/** Why {@link ensureKubo} could not even try, found without building. */
export async function kuboObstacle(): Promise<KuboUnavailableError | undefined> {
  if ((process.env['KUBO_BINARY'] ?? '') !== '') return undefined
  try {
    await goVersion()
    return undefined
  } catch (error) {
    if (error instanceof KuboUnavailableError) return error
    throw error
  }
}

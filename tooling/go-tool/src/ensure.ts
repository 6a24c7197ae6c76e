import { constants } from 'node:fs'
import { access, mkdir, rename, rm } from 'node:fs/promises'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { withBuildLock } from './build-lock.ts'
import { build, buildKey, goVersion } from './go-build.ts'
import { type GoTool, pinnedVersion } from './tool.ts'
import { GoToolUnavailableError } from './unavailable.ts'

export interface EnsureOptions {
  /** Receives one line of progress at a time, for a person. Default: standard error. */
  onProgress?: ((line: string) => void) | undefined
  /** The folder for binaries. Default `P2PL_CACHE`, otherwise `~/.cache/p2pl`. */
  cache?: string | undefined
}

const running = new Map<GoTool, Promise<string>>()

/**
 * The path of the binary: the one that its variable names, otherwise the pinned version, built on first use into a
 * cache. Any number of processes may call it at once. Throws {@link GoToolUnavailableError}.
 */
export async function ensureGoTool(tool: GoTool, options: EnsureOptions = {}): Promise<string> {
  const given = process.env[tool.variable]
  if (given !== undefined && given !== '') {
    if (await isExecutable(given)) return given
    throw new GoToolUnavailableError(
      'binary',
      `${tool.variable} names "${given}", which cannot be executed; correct or unset it`
    )
  }
  const under = running.get(tool) ?? provide(tool, options).finally(() => running.delete(tool))
  running.set(tool, under)
  return await under
}

async function provide(tool: GoTool, options: EnsureOptions): Promise<string> {
  const onProgress = options.onProgress ?? ((line: string) => process.stderr.write(`${line}\n`))
  const cache = options.cache ?? process.env['P2PL_CACHE'] ?? join(homedir(), '.cache', 'p2pl')
  const folder = join(cache, tool.name.toLowerCase(), buildKey(tool, await goVersion(tool)))
  const binary = join(folder, process.platform === 'win32' ? `${tool.binary}.exe` : tool.binary)
  if (await isExecutable(binary)) return binary
  await mkdir(folder, { recursive: true })
  return await withBuildLock(
    join(folder, 'lock'),
    () => onProgress(`another process builds ${tool.name} ${pinnedVersion(tool)}; waiting for it`),
    async () => {
      if (await isExecutable(binary)) return binary
      await buildInto(tool, binary, onProgress)
      return binary
    }
  )
}

async function buildInto(tool: GoTool, binary: string, onProgress: (line: string) => void): Promise<void> {
  const started = performance.now()
  const seconds = (): string => `${Math.round((performance.now() - started) / 1000)} s`
  let compiled = 0
  onProgress(`building ${tool.name} ${pinnedVersion(tool)} (once; ${tool.takes})`)
  const ticker = setInterval(() => onProgress(`${tool.name}: ${compiled} packages compiled, ${seconds()}`), 10_000)
  // Written under another name first, so that a binary with its final name is always complete.
  const partial = `${binary}.${process.pid}.partial`
  try {
    await build(tool, partial, (count) => {
      compiled = count
    })
    await rename(partial, binary)
    onProgress(`${tool.name} built in ${seconds()}: ${binary}`)
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

/** The reason why {@link ensureGoTool} would fail, found without building; `undefined` if it could try. */
export async function goToolObstacle(tool: GoTool): Promise<GoToolUnavailableError | undefined> {
  if ((process.env[tool.variable] ?? '') !== '') return undefined
  try {
    await goVersion(tool)
    return undefined
  } catch (error) {
    if (error instanceof GoToolUnavailableError) return error
    throw error
  }
}

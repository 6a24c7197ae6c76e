import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { failure } from '../errors.ts'
import type { Json } from './config.ts'
import { makeFolder, ownFile, writeWhole } from './files.ts'

const run = promisify(execFile)

export interface Repo {
  /** The configuration that `ipfs init` wrote. */
  readonly base: Json
  /** A file that marks a new repo as unfinished. The code that finishes the repo removes it. */
  readonly fresh: string | undefined
}

/** Creates the repo if there is none. */
export async function initRepo(repo: string, binary: string, env: NodeJS.ProcessEnv): Promise<Repo> {
  await makeFolder(repo)
  const fresh = ownFile(repo, 'fresh')
  if (!existsSync(join(repo, 'config'))) {
    try {
      await run(binary, ['init', '--profile=unixfs-v1-2025'], { env })
    } catch (cause) {
      const text = String((cause as { stderr?: unknown }).stderr ?? cause).trim()
      throw failure('ENGINE', 'start', `"ipfs init" failed in ${repo}: ${text.slice(0, 500)}`, { cause })
    }
    if (!existsSync(join(repo, 'config'))) {
      const fix = 'install Kubo, or name its binary with the option daemon.binary or the variable KUBO_BINARY'
      throw failure('MISSING_DEPENDENCY', 'start', `"${binary}" is no Kubo: its "init" makes no repo; ${fix}`)
    }
    await writeWhole(fresh, '')
  }
  const base = ownFile(repo, 'base-config.json')
  if (!existsSync(base)) await writeWhole(base, await readFile(join(repo, 'config'), 'utf8'))
  return { base: JSON.parse(await readFile(base, 'utf8')) as Json, fresh: existsSync(fresh) ? fresh : undefined }
}

export async function writeConfig(repo: string, config: Json): Promise<void> {
  await writeWhole(join(repo, 'config'), JSON.stringify(config, undefined, 2))
}

/** Writes the key of a private network. Throws `INVALID_ARGUMENT` if the repo has a key but the options have none. */
export async function writeSwarmKey(repo: string, swarmKey: string | undefined): Promise<void> {
  const file = join(repo, 'swarm.key')
  if (swarmKey !== undefined)
    await writeFile(file, `/key/swarm/psk/1.0.0/\n/base16/\n${swarmKey.toLowerCase()}\n`, { mode: 0o600 })
  else if (existsSync(file))
    throw failure(
      'INVALID_ARGUMENT',
      'start',
      `${file} makes this repo part of a private network, but daemon.swarmKey is not given: give it, or remove the file`
    )
}

import { execFile } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, readFileSync, statSync } from 'node:fs'
import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir, userInfo } from 'node:os'
import { dirname, join } from 'node:path'
import { promisify } from 'node:util'
import { isP2plError } from '@p2pl/core/backend'
import { failure } from '../errors.ts'
import { RpcClient } from '../rpc/client.ts'
import { identity } from '../rpc/screens.ts'
import { apiOfRepo, parseTarget } from '../rpc/target.ts'
import type { CallKind } from '../rpc/transport.ts'
import type { Json } from './config.ts'
import { endProcess, isAlive } from './supervisor.ts'

const run = promisify(execFile)
// Of a unix socket's path on the systems that have them (104 on macOS, 108 on Linux, the final zero included).
const maxSocketPath = 100

const identifying: CallKind = { operation: 'start', lane: 'store', screen: identity }

/** What we know about the daemon of a repo, next to it. */
export interface DaemonRecord {
  port: number
  pid?: number | undefined
  supervisorPid?: number | undefined
  guardPid?: number | undefined
}

/** Files of ours inside a repo. */
function ownFile(repo: string, name: string): string {
  return join(repo, 'p2pl', name)
}

export function readRecord(repo: string): DaemonRecord | undefined {
  try {
    const record = JSON.parse(readFileSync(ownFile(repo, 'daemon.json'), 'utf8')) as DaemonRecord
    return Number.isInteger(record.port) ? record : undefined
  } catch {
    return undefined
  }
}

export async function writeRecord(repo: string, record: DaemonRecord): Promise<void> {
  await writeWhole(ownFile(repo, 'daemon.json'), JSON.stringify(record))
}

/**
 * Creates the repo if there is none, and gives the configuration that it was made with. `fresh`: a file that
 * stands for what is still to be done to a new repo; who has done it removes the file.
 */
export async function initRepo(
  repo: string,
  binary: string,
  env: NodeJS.ProcessEnv
): Promise<{ base: Json; fresh: string | undefined }> {
  await mkdir(repo, { recursive: true, mode: 0o700 })
  const fresh = ownFile(repo, 'fresh')
  if (!existsSync(join(repo, 'config'))) {
    try {
      await run(binary, ['init', '--profile=unixfs-v1-2025'], { env })
      await writeWhole(fresh, '')
    } catch (cause) {
      const text = String((cause as { stderr?: unknown }).stderr ?? cause).trim()
      throw failure('ENGINE', 'start', `"ipfs init" failed in ${repo}: ${text.slice(0, 500)}`, { cause })
    }
  }
  const base = ownFile(repo, 'base-config.json')
  if (!existsSync(base)) await writeWhole(base, await readFile(join(repo, 'config'), 'utf8'))
  return { base: JSON.parse(await readFile(base, 'utf8')) as Json, fresh: existsSync(fresh) ? fresh : undefined }
}

export async function writeConfig(repo: string, config: Json): Promise<void> {
  await writeWhole(join(repo, 'config'), JSON.stringify(config, undefined, 2))
}

/**
 * Makes sure that nobody uses the repo: throws `LOCKED` and names who does, ends an orphan of our own, and removes what
 * a dead daemon left behind.
 */
export async function claimRepo(repo: string, peerId: unknown, socketPath: string | undefined): Promise<void> {
  await endOwnOrphan(repo)
  const api = apiOfRepo(repo)
  const holder = lockHolder(repo)
  const answer = api === undefined ? 'nobody' : await whoAnswers(api)
  if (holder !== undefined || answer === 'refuses' || (typeof answer === 'object' && answer.id === peerId)) {
    const who = holder === undefined ? 'a live daemon' : `the process ${holder}`
    throw failure(
      'LOCKED',
      'start',
      `${who} uses the repo ${repo}${api === undefined ? '' : ` (API at ${api})`}: stop it, use it through "url", or name another daemon.repo`
    )
  }
  await rm(join(repo, 'api'), { force: true })
  for (const path of [socketPath, /^\/unix(\/.+)$/.exec(api ?? '')?.[1]])
    if (path !== undefined && (await whoAnswers(`/unix${path}`)) === 'nobody') await rm(path, { force: true })
}

/** Where the API's socket goes: in the repo, or in a private folder when that path is too long for a socket. */
export async function apiSocket(repo: string): Promise<string> {
  const near = join(repo, 'p2pl', 'api.sock')
  if (Buffer.byteLength(near) <= maxSocketPath) return near
  const folder = join(tmpdir(), `p2pl-${userInfo().uid}`)
  await mkdir(folder, { recursive: true, mode: 0o700 })
  const { uid, mode } = statSync(folder)
  if (uid !== userInfo().uid || (mode & 0o077) !== 0)
    throw failure(
      'UNAUTHORIZED',
      'start',
      `${folder} belongs to somebody else or is open to others: remove it, or use a shorter daemon.repo`
    )
  return join(folder, `${createHash('sha256').update(repo).digest('hex').slice(0, 24)}.sock`)
}

/** A port that is free on loopback now. */
export async function freePort(): Promise<number> {
  const server = createServer()
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(0, '127.0.0.1', resolve)
  })
  const address = server.address()
  await new Promise((resolve) => server.close(resolve))
  if (address === null || typeof address === 'string') throw failure('ENGINE', 'start', 'no free port')
  return address.port
}

async function whoAnswers(api: string): Promise<'nobody' | 'refuses' | { id: unknown }> {
  const rpc = new RpcClient(3_000)
  try {
    rpc.open(parseTarget({ url: api }))
    const { id } = await rpc.call(identifying, undefined, async (kubo) => await kubo.id())
    return { id: id.toString() }
  } catch (error) {
    return isP2plError(error, 'UNAUTHORIZED') ? 'refuses' : 'nobody'
  } finally {
    rpc.close()
  }
}

/** A daemon of ours whose supervisor was killed together with its parent. */
async function endOwnOrphan(repo: string): Promise<void> {
  const { pid, supervisorPid } = readRecord(repo) ?? {}
  if (pid === undefined || supervisorPid === undefined || isAlive(supervisorPid) || !isAlive(pid)) return
  // The number may belong to another process by now: the lock, where it can be read, or the command line decide.
  const holder = lockHolder(repo)
  const isOurs = holder === undefined ? await isDaemonCommand(pid) : holder === pid
  if (!isOurs) return
  await endProcess(pid, 5_000)
  // The locks of a process go a little later than its number.
  for (let waits = 0; waits < 200 && lockHolder(repo) === pid; waits++)
    await new Promise((resolve) => setTimeout(resolve, 25))
}

async function isDaemonCommand(pid: number): Promise<boolean> {
  return await run('ps', ['-o', 'command=', '-p', String(pid)]).then(
    ({ stdout }) => /ipfs\S*\s+daemon\b/.test(stdout),
    () => false
  )
}

/** The process that holds `repo.lock`. Only Linux tells; elsewhere the daemon's own refusal has to do. */
export function lockHolder(repo: string): number | undefined {
  try {
    const { ino } = statSync(join(repo, 'repo.lock'))
    for (const line of readFileSync('/proc/locks', 'utf8').split('\n')) {
      const fields = /^\d+:\s+\S+\s+\S+\s+WRITE\s+(\d+)\s+[0-9a-f]+:[0-9a-f]+:(\d+)\s/.exec(line)
      if (fields !== null && Number(fields[2]) === ino) return Number(fields[1])
    }
  } catch {
    // No lock file, or no such list.
  }
  return undefined
}

async function writeWhole(path: string, text: string): Promise<void> {
  await mkdir(dirname(path), { recursive: true, mode: 0o700 })
  await writeFile(`${path}.new`, text, { mode: 0o600 })
  await rename(`${path}.new`, path)
}

import { execFile } from 'node:child_process'
import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { isP2plError } from '@p2pl/core/backend'
import { failure } from '../errors.ts'
import { identify } from '../identity.ts'
import { apiOfRepo, parseTarget } from '../rpc/target.ts'
import { type CallKind, Transport } from '../rpc/transport.ts'
import { socketPathOf } from '../rpc/url.ts'
import { lockHolder } from './lock.ts'
import { endProcess, isAlive } from './processes.ts'
import { readRecord } from './record.ts'

const run = promisify(execFile)
const asking: CallKind = { operation: 'start', lane: 'store', timeout: 3_000 }
const orphanGrace = 5_000

/**
 * Makes sure that nobody else uses the repo. Throws `LOCKED` with the name of a running daemon, ends an orphaned daemon
 * of ours, and removes files left over from a dead daemon.
 */
export async function claimRepo(repo: string, peerId: unknown, socketPath: string | undefined): Promise<void> {
  await endOwnOrphan(repo)
  const api = apiOfRepo(repo)
  const holder = lockHolder(repo)
  const answer = api === undefined ? 'nobody' : await whoAnswers(api)
  if (holder !== undefined || answer === 'refuses' || (typeof answer === 'object' && answer.id === peerId)) {
    const who = holder === undefined ? 'a live daemon' : `the process ${holder}`
    const where = api === undefined ? '' : ` (API at ${api})`
    throw failure(
      'LOCKED',
      'start',
      `${who} uses the repo ${repo}${where}: stop it, use it through "url", or name another daemon.repo`
    )
  }
  await rm(join(repo, 'api'), { force: true })
  for (const path of [socketPath, socketPathOf(api ?? '')])
    if (path !== undefined && (await whoAnswers(`/unix${path}`)) === 'nobody') await rm(path, { force: true })
}

async function whoAnswers(api: string): Promise<'nobody' | 'refuses' | { id: string }> {
  const rpc = new Transport(3_000)
  try {
    await rpc.open(parseTarget({ url: api }))
    return { id: (await identify(rpc, asking)).id }
  } catch (error) {
    return isP2plError(error, 'UNAUTHORIZED') ? 'refuses' : 'nobody'
  } finally {
    rpc.close()
  }
}

/** Ends a daemon of ours whose supervisor was killed together with its parent. */
async function endOwnOrphan(repo: string): Promise<void> {
  const { pid, supervisorPid } = readRecord(repo) ?? {}
  if (pid === undefined || supervisorPid === undefined || isAlive(supervisorPid) || !isAlive(pid)) return
  // The process id may belong to another process by now. The lock decides if it is readable, otherwise the command
  // line.
  const holder = lockHolder(repo)
  const isOurs = holder === undefined ? await isDaemonCommand(pid) : holder === pid
  if (!isOurs) return
  await endProcess(pid, orphanGrace)
  // The locks of a process disappear a little after its id.
  for (let waits = 0; waits < 200 && lockHolder(repo) === pid; waits++)
    await new Promise((resolve) => setTimeout(resolve, 25))
}

async function isDaemonCommand(pid: number): Promise<boolean> {
  return await run('ps', ['-o', 'command=', '-p', String(pid)]).then(
    ({ stdout }) => /ipfs\S*\s+daemon\b/.test(stdout),
    () => false
  )
}

import { randomBytes } from 'node:crypto'
import { rm } from 'node:fs/promises'
import { abortError, isP2plError, type P2plError } from '@p2pl/core/backend'
import { failure } from '../errors.ts'
import { apiOfRepo, parseTarget, type Target } from '../rpc/target.ts'
import { type CallKind, Transport } from '../rpc/transport.ts'
import { apiSocket, freePort } from './addresses.ts'
import { claimRepo } from './claim.ts'
import { daemonConfig, type Json } from './config.ts'
import { findKubo } from './find.ts'
import type { DaemonOptions } from './options.ts'
import { readRecord, writeRecord } from './record.ts'
import { initRepo, writeConfig, writeSwarmKey } from './repo.ts'
import { kernelEndsOrphans, SupervisedProcess } from './supervised-process.ts'

const emptyFolder = 'QmUNLLsPACCz1vLxQVkXqqLX5R1X345qqfHbsf67hvA3Nn'
const unpinning: CallKind = { operation: 'start', lane: 'store', timeout: 5_000 }

export interface Launched {
  readonly process: SupervisedProcess
  readonly target: Target
}

/** Starts a daemon on the repo and resolves when it is ready. A failure or an abort leaves no process behind. */
export async function launch(options: DaemonOptions, pubsub: boolean, signal: AbortSignal): Promise<Launched> {
  try {
    return await launchOn(readRecord(options.repo)?.port ?? (await freePort()), options, pubsub, signal)
  } catch (error) {
    // Another process took our port while the daemon was not running.
    const portTaken = isP2plError(error, 'LOCKED') && /address already in use/.test(error.message)
    if (!portTaken || options.listen !== undefined) throw error
    return await launchOn(await freePort(), options, pubsub, signal)
  }
}

async function launchOn(port: number, options: DaemonOptions, pubsub: boolean, signal: AbortSignal): Promise<Launched> {
  const { repo } = options
  const binary = await findKubo(options.binary)
  const env: NodeJS.ProcessEnv = { ...process.env, IPFS_PATH: repo, IPFS_TELEMETRY: 'off' }
  const { base, fresh } = await initRepo(repo, binary, env)
  const useSocket = options.api === undefined ? process.platform !== 'win32' : options.api === 'socket'
  const socketPath = useSocket ? await apiSocket(repo) : undefined
  await claimRepo(repo, (base['Identity'] as Json | undefined)?.['PeerID'], socketPath)
  const secret = useSocket ? undefined : randomBytes(32).toString('base64url')
  const api = socketPath === undefined ? '/ip4/127.0.0.1/tcp/0' : `/unix${socketPath}`
  await writeConfig(repo, daemonConfig(base, { options, pubsub, api, secret, port }))
  await writeSwarmKey(repo, options.swarmKey)
  if (options.swarmKey !== undefined) env['LIBP2P_FORCE_PNET'] = '1'
  const kernel = await kernelEndsOrphans(env)
  if (signal.aborted) throw abortError('start', signal)

  const args = ['daemon', '--migrate=true', ...(options.gcPeriod === undefined ? [] : ['--enable-gc'])]
  const daemon = new SupervisedProcess([...kernel, binary, ...args], env, options.stopTimeout ?? 10_000)
  try {
    await ready(daemon, options, signal)
    const { pid, supervisorPid, guardPid } = daemon
    await writeRecord(repo, { port, pid, supervisorPid, guardPid })
    const target = parseTarget({
      url: apiOfRepo(repo) ?? api,
      ...(secret === undefined ? {} : { authorization: { bearer: secret } })
    })
    if (fresh !== undefined) {
      await unpinEmptyFolder(target)
      await rm(fresh, { force: true })
    }
    return { process: daemon, target }
  } catch (error) {
    await daemon.stop()
    throw error
  }
}

async function ready(daemon: SupervisedProcess, options: DaemonOptions, signal: AbortSignal): Promise<void> {
  const limit = options.startTimeout ?? 60_000
  const either = AbortSignal.any([signal, AbortSignal.timeout(limit)])
  let onAbort: () => void = () => {}
  const aborted = new Promise<never>((_, reject) => {
    onAbort = () =>
      reject(
        signal.aborted
          ? abortError('start', signal)
          : failure('TIMEOUT', 'start', `the daemon was not ready within ${limit} ms (daemon.startTimeout)`)
      )
    if (either.aborted) onAbort()
    else either.addEventListener('abort', onAbort, { once: true })
  })
  aborted.catch(() => {})
  try {
    if (await Promise.race([daemon.printed('Daemon is ready'), aborted])) return
  } finally {
    either.removeEventListener('abort', onAbort)
  }
  throw startFailure(options.repo, (await daemon.exited).output)
}

/** A new repo pins the empty folder, but pins belong to the caller. */
async function unpinEmptyFolder(target: Target): Promise<void> {
  const rpc = new Transport(5_000)
  try {
    await rpc.open(target)
    await (await rpc.request(unpinning, { path: 'pin/rm', query: new URLSearchParams({ arg: emptyFolder }) })).collect()
  } catch (error) {
    if (!isP2plError(error, 'ENGINE') || !error.message.includes('not pinned')) throw error
  } finally {
    rpc.close()
  }
}

function startFailure(repo: string, output: string): P2plError {
  const text = lastLines(output)
  if (/someone else has the lock|address already in use/.test(output))
    return failure('LOCKED', 'start', `the daemon on ${repo} could not start because something is in use: ${text}`)
  if (/no space left|read-only file system/.test(output))
    return failure('STORAGE', 'start', `the daemon on ${repo} could not start: ${text}`)
  return failure('ENGINE', 'start', `the daemon on ${repo} ended before it was ready: ${text}`)
}

/** The last lines of a daemon's output, for an error message. */
export function lastLines(output: string): string {
  return output.trim().split('\n').slice(-4).join(' | ').slice(-600)
}

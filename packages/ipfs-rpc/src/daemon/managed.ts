import { randomBytes } from 'node:crypto'
import { existsSync } from 'node:fs'
import { rm, writeFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { CID } from 'multiformats/cid'
import type { P2plError } from '@p2pl/core/backend'
import { abortError, isP2plError } from '@p2pl/core/backend'
import type { DaemonHooks, DaemonSource } from '../engine.ts'
import { backendName, classify, failure } from '../errors.ts'
import { RpcClient } from '../rpc/client.ts'
import { apiOfRepo, parseTarget, type Target } from '../rpc/target.ts'
import type { CallKind } from '../rpc/transport.ts'
import { checkDaemonOptions, daemonConfig, type Json } from './config.ts'
import { findKubo } from './find.ts'
import type { DaemonOptions } from './options.ts'
import { apiSocket, claimRepo, freePort, initRepo, readRecord, writeConfig, writeRecord } from './repo.ts'
import { SupervisedProcess } from './supervisor.ts'

const firstPause = 250
const maxPause = 30_000
const healthyAfter = 60_000
const emptyFolder = CID.parse('QmUNLLsPACCz1vLxQVkXqqLX5R1X345qqfHbsf67hvA3Nn')

const unpinning: CallKind = { operation: 'start', lane: 'store', answer: 'lines' }

/** A daemon that lives as long as the backend runs: started, watched, restarted after a crash, and stopped. */
export function managedDaemon(options: DaemonOptions, pubsub: boolean): DaemonSource {
  checkDaemonOptions(options)
  return new ManagedDaemon(options, pubsub)
}

class ManagedDaemon implements DaemonSource {
  readonly #options: DaemonOptions
  readonly #pubsub: boolean
  #process: SupervisedProcess | undefined
  #serving: SupervisedProcess | undefined
  #ending: SupervisedProcess | undefined
  #hooks: DaemonHooks | undefined
  #restart: NodeJS.Timeout | undefined
  #relaunch: Promise<void> = Promise.resolve()
  #life: AbortController | undefined
  #failures = 0

  constructor(options: DaemonOptions, pubsub: boolean) {
    this.#options = { ...options, repo: resolve(options.repo) }
    this.#pubsub = pubsub
  }

  async start(hooks: DaemonHooks, signal: AbortSignal | undefined): Promise<Target> {
    this.#hooks = hooks
    this.#failures = 0
    const life = new AbortController()
    this.#life = life
    const target = await this.#launch(signal === undefined ? life.signal : AbortSignal.any([signal, life.signal]))
    this.#serving = this.#process
    return target
  }

  async stop(): Promise<void> {
    this.#life?.abort(new Error('stop was called'))
    this.#life = undefined
    clearTimeout(this.#restart)
    await this.#relaunch
    const running = this.#process
    this.#process = undefined
    await running?.stop()
    this.#hooks = undefined
  }

  hung(silence: number): void {
    const daemon = this.#process
    // One that is still being started has a limit of its own.
    if (daemon === undefined || daemon !== this.#serving || daemon === this.#ending) return
    this.#ending = daemon
    this.#hooks?.event({
      type: 'warning',
      backend: backendName,
      message: `the daemon runs, but has not answered for ${Math.round(silence / 1000)} s: it is ended and started again`
    })
    void daemon.stop()
  }

  async #launch(signal: AbortSignal): Promise<Target> {
    try {
      return await this.#launchOn(readRecord(this.#options.repo)?.port ?? (await freePort()), signal)
    } catch (error) {
      // Somebody took our port while we did not run.
      if (
        !isP2plError(error, 'LOCKED') ||
        !/address already in use/.test(error.message) ||
        this.#options.listen !== undefined
      )
        throw error
      return await this.#launchOn(await freePort(), signal)
    }
  }

  async #launchOn(port: number, signal: AbortSignal): Promise<Target> {
    const { repo } = this.#options
    const binary = await findKubo(this.#options.binary)
    const env: NodeJS.ProcessEnv = { ...process.env, IPFS_PATH: repo, IPFS_TELEMETRY: 'off' }
    const { base, fresh } = await initRepo(repo, binary, env)
    const useSocket = this.#options.api === undefined ? process.platform !== 'win32' : this.#options.api === 'socket'
    const socketPath = useSocket ? await apiSocket(repo) : undefined
    await claimRepo(repo, (base['Identity'] as Json | undefined)?.['PeerID'], socketPath)
    const secret = useSocket ? undefined : randomBytes(32).toString('base64url')
    const api = socketPath === undefined ? '/ip4/127.0.0.1/tcp/0' : `/unix${socketPath}`
    await writeConfig(repo, daemonConfig(base, { options: this.#options, pubsub: this.#pubsub, api, secret, port }))
    await this.#writeSwarmKey()
    if (this.#options.swarmKey !== undefined) env['LIBP2P_FORCE_PNET'] = '1'
    if (signal.aborted) throw abortError('start', signal, backendName)

    const args = ['daemon', '--migrate=true', ...(this.#options.gcPeriod === undefined ? [] : ['--enable-gc'])]
    const daemon = new SupervisedProcess(binary, args, env, this.#options.stopTimeout ?? 10_000)
    this.#process = daemon
    try {
      await this.#ready(daemon, signal)
      await writeRecord(repo, {
        port,
        pid: daemon.pid,
        supervisorPid: daemon.supervisorPid,
        guardPid: daemon.guardPid
      })
    } catch (error) {
      this.#process = undefined
      await daemon.stop()
      throw error
    }
    const started = performance.now()
    void daemon.exited.then((exit) => {
      if (this.#process !== daemon) return
      this.#process = undefined
      if (performance.now() - started > healthyAfter) this.#failures = 0
      this.#crashed(
        failure(
          'UNREACHABLE',
          'daemon',
          `the daemon ${daemon === this.#ending ? 'hung' : 'ended by itself'} (${exit.signal ?? `exit code ${exit.code ?? 'unknown'}`}) and is started again: ${lastLines(exit.output)}`
        )
      )
    })
    const target = parseTarget({
      url: apiOfRepo(repo) ?? api,
      ...(secret === undefined ? {} : { authorization: { bearer: secret } })
    })
    if (fresh !== undefined) {
      await unpinEmptyFolder(target)
      await rm(fresh, { force: true })
    }
    return target
  }

  async #ready(daemon: SupervisedProcess, signal: AbortSignal): Promise<void> {
    const limit = this.#options.startTimeout ?? 60_000
    const timeout = AbortSignal.timeout(limit)
    const either = AbortSignal.any([signal, timeout])
    let onAbort: () => void = () => {}
    const aborted = new Promise<never>((_, reject) => {
      onAbort = () =>
        reject(
          signal.aborted
            ? abortError('start', signal, backendName)
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
    const exit = await daemon.exited
    throw startFailure(this.#options.repo, exit.output)
  }

  #crashed(error: P2plError): void {
    const life = this.#life
    if (life === undefined) return
    this.#hooks?.lost(error)
    const pause = Math.min(maxPause, firstPause * 2 ** Math.min(this.#failures++, 10))
    this.#restart = setTimeout(() => {
      this.#relaunch = this.#startAgain(life.signal)
    }, pause)
  }

  async #startAgain(signal: AbortSignal): Promise<void> {
    try {
      const target = await this.#launch(signal)
      this.#serving = this.#process
      this.#hooks?.back(target)
    } catch (cause) {
      if (!signal.aborted) this.#restartFailed(classify('daemon', cause))
    }
  }

  #restartFailed(error: P2plError): void {
    this.#hooks?.event({
      type: 'warning',
      backend: backendName,
      message: `the daemon could not be started again and will be tried later: ${error.message}`
    })
    this.#crashed(error)
  }

  async #writeSwarmKey(): Promise<void> {
    const { repo, swarmKey } = this.#options
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
}

/** A new repo pins the empty folder; pins are the caller's alone. */
async function unpinEmptyFolder(target: Target): Promise<void> {
  const rpc = new RpcClient(5_000)
  try {
    rpc.open(target)
    await rpc.call(unpinning, undefined, async (kubo) => await kubo.pin.rm(emptyFolder))
  } catch (error) {
    if (!isP2plError(error, 'ENGINE') || !error.message.includes('not pinned')) throw error
  } finally {
    rpc.close()
  }
}

function startFailure(repo: string, output: string): P2plError {
  const text = lastLines(output)
  if (/someone else has the lock|address already in use/.test(output))
    return failure('LOCKED', 'start', `the daemon on ${repo} could not start, something it needs is in use: ${text}`)
  if (/no space left|read-only file system/.test(output))
    return failure('STORAGE', 'start', `the daemon on ${repo} could not start: ${text}`)
  return failure('ENGINE', 'start', `the daemon on ${repo} ended before it was ready: ${text}`)
}

function lastLines(output: string): string {
  return output.trim().split('\n').slice(-4).join(' | ').slice(-600)
}

import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { freePort } from '@p2pl/tooling-vitest/port'
import { ensureKubo } from './ensure.ts'

const run = promisify(execFile)
const setpriv = '/usr/bin/setpriv'

export interface TestDaemonOptions {
  /** Path of the binary. Default: {@link ensureKubo}. */
  binary?: string | undefined
  /** Merged over the closed test configuration. */
  config?: Record<string, unknown> | undefined
  /** A folder to use, which `stop` keeps. Default: a temporary one that `stop` removes. */
  repo?: string | undefined
  /** 64 hex digits, for a private network. */
  swarmKey?: string | undefined
  /** Additional arguments of `ipfs daemon`. */
  args?: readonly string[] | undefined
}

/**
 * A real daemon for tests: on loopback only, with everything public switched off. Not for users, because its store is
 * not synced.
 */
export interface TestDaemon {
  readonly repo: string
  readonly binary: string
  /** `http://127.0.0.1:port`, or `/unix/path`. */
  readonly url: string
  readonly pid: number
  readonly running: boolean
  /** Runs the `ipfs` command on this repo. Resolves with its standard output. */
  ipfs(...args: string[]): Promise<string>
  /** Sends a signal, which may be SIGSTOP or SIGCONT. */
  signal(name: NodeJS.Signals): void
  /** `kill -9`. Resolves when the process has ended. The repo stays. */
  kill(): Promise<void>
  /** Starts the daemon again after `kill`, on the same API port. */
  restart(): Promise<void>
  stop(): Promise<void>
}

export const closedTestConfig: Record<string, unknown> = {
  Pubsub: { Enabled: true },
  Routing: { Type: 'dht' },
  AutoNAT: { ServiceMode: 'disabled' },
  HTTPRetrieval: { Enabled: false },
  Swarm: {
    RelayClient: { Enabled: false },
    RelayService: { Enabled: false },
    EnableHolePunching: false,
    Transports: { Network: { QUIC: false, WebTransport: false, WebRTCDirect: false, Websocket: false } }
  },
  Version: { SwarmCheckEnabled: false },
  Internal: { CGNATCheck: false, ShutdownTimeout: '5s' },
  Plugins: { Plugins: { telemetry: { Disabled: true } } }
}

const started = new Set<ChildProcess>()
process.on('exit', () => {
  for (const child of started) child.kill('SIGKILL')
})

export async function startTestDaemon(options: TestDaemonOptions = {}): Promise<TestDaemon> {
  const binary = options.binary ?? (await ensureKubo({ onProgress: () => {} }))
  const repo = options.repo ?? mkdtempSync(join(tmpdir(), 'p2pl-kubo-'))
  const env: NodeJS.ProcessEnv = { ...process.env, IPFS_PATH: repo, IPFS_TELEMETRY: 'off' }
  if (options.swarmKey !== undefined) {
    env['LIBP2P_FORCE_PNET'] = '1'
    writeFileSync(join(repo, 'swarm.key'), `/key/swarm/psk/1.0.0/\n/base16/\n${options.swarmKey}\n`)
  }
  const ipfs = async (...args: string[]): Promise<string> =>
    (await run(binary, args, { env, maxBuffer: 64 * 1024 * 1024 })).stdout

  await ipfs('init', '--profile=test,unixfs-v1-2025')
  const file = join(repo, 'config')
  const config: unknown = JSON.parse(readFileSync(file, 'utf8'))
  merge(config as Record<string, unknown>, closedTestConfig)
  // Fixed ports, so that others find a restarted daemon at the same address.
  const [swarm, api] = (await Promise.all([freePort(), freePort()])).map((port) => `/ip4/127.0.0.1/tcp/${port}`)
  merge(config as Record<string, unknown>, { Addresses: { API: api, Swarm: [swarm] } })
  merge(config as Record<string, unknown>, options.config ?? {})
  writeFileSync(file, JSON.stringify(config, undefined, 2))

  const launch = async (): Promise<{ child: ChildProcess; url: string }> => {
    rmSync(join(repo, 'api'), { force: true })
    const child = await daemon(binary, env, options.args ?? [])
    return { child, url: apiUrl(readFileSync(join(repo, 'api'), 'utf8').trim()) }
  }
  let { child, url } = await launch()

  return {
    repo,
    binary,
    ipfs,
    get url() {
      return url
    },
    get running() {
      return child.exitCode === null && child.signalCode === null
    },
    get pid() {
      return child.pid ?? 0
    },
    signal: (name) => {
      child.kill(name)
    },
    kill: async () => {
      await end(child, 'SIGKILL')
    },
    restart: async () => {
      ;({ child, url } = await launch())
    },
    stop: async () => {
      child.kill('SIGCONT')
      await end(child, 'SIGTERM')
      if (options.repo === undefined) rmSync(repo, { recursive: true, force: true, maxRetries: 3 })
    }
  }
}

async function daemon(binary: string, env: NodeJS.ProcessEnv, args: readonly string[]): Promise<ChildProcess> {
  // If the kernel supports it, the daemon ends with the test process, however that ends.
  const [command, ...first] = existsSync(setpriv) ? [setpriv, '--pdeathsig', 'KILL', binary] : [binary]
  const child = spawn(command, [...first, 'daemon', ...args], { env, stdio: ['ignore', 'pipe', 'pipe'] })
  started.add(child)
  child.on('close', () => started.delete(child))
  let output = ''
  await new Promise<void>((resolve, reject) => {
    const onData = (text: Buffer): void => {
      output = (output + text.toString()).slice(-8000)
      if (output.includes('Daemon is ready')) resolve()
    }
    child.stdout.on('data', onData)
    child.stderr.on('data', onData)
    child.on('error', reject)
    child.on('close', (code) => reject(new Error(`ipfs daemon ended with ${code} before it was ready:\n${output}`)))
  })
  return child
}

async function end(child: ChildProcess, signal: NodeJS.Signals): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const closed = once(child, 'close')
  child.kill(signal)
  const force = setTimeout(() => child.kill('SIGKILL'), 8_000)
  await closed
  clearTimeout(force)
}

function apiUrl(address: string): string {
  const tcp = /^\/ip4\/([\d.]+)\/tcp\/(\d+)/.exec(address)
  return tcp === null ? address : `http://${tcp[1]}:${tcp[2]}`
}

function merge(target: Record<string, unknown>, patch: Record<string, unknown>): void {
  for (const [key, value] of Object.entries(patch)) {
    const old = target[key]
    if (isObject(old) && isObject(value)) merge(old, value)
    else target[key] = value
  }
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

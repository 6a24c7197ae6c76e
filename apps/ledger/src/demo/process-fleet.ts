import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createWriteStream } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { LedgerError } from '../errors.ts'
import { readApiFile } from '../node/api-file.ts'
import { apiPathOf } from '../node/home.ts'
import { RemoteLedger } from '../service/remote.ts'
import type { Branch } from './accounts.ts'
import type { Fleet, FleetOptions, RunningPeer } from './fleet.ts'

const program = fileURLToPath(new URL('../main.ts', import.meta.url))
const startMs = 120_000

/** Each peer is a separate process: `p2pl-ledger run`, from source, with the same Node as this process. */
export function processFleet(options: FleetOptions): Fleet {
  return {
    description: 'three processes',
    killing: 'kill -9',
    start: async (name) => await startProcess(name, options)
  }
}

async function startProcess(name: Branch, options: FleetOptions): Promise<RunningPeer> {
  const folder = options.folderOf(name)
  const listen = options.listenOf(name)
  const args = ['run', '--json', '--dir', folder, '--backend', options.backendOf(name)]
  args.push('--port', String(options.portOf(name)), '--beacon-period', String(options.beaconPeriod))
  if (listen.length > 0) args.push('--listen', ...listen)
  // Through the channel the child notices the end of this process, however it ends.
  const child = spawn(process.execPath, ['-C', '@p2pl/source', program, ...args], {
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    cwd: folder,
    env: { ...process.env, ...options.envOf(name) }
  })
  const complaints = collectErrors(child, join(folder, 'node.log'))
  const exited = once(child, 'exit')
  try {
    const { url } = await readyLine(child, exited, name)
    const access = await readApiFile(apiPathOf(folder))
    if (access === undefined) throw new LedgerError('UNAVAILABLE', `${name} runs and has no api.json`)
    const end = async (signal: 'SIGKILL' | 'SIGTERM'): Promise<void> => {
      if (child.exitCode === null && child.signalCode === null) child.kill(signal)
      await exited
    }
    return {
      name,
      url,
      pid: child.pid,
      ended: exited.then(([code, signal]) => (signal === null ? `code ${String(code)}` : String(signal))),
      ledger: new RemoteLedger(access),
      kill: async () => {
        await end('SIGKILL')
      },
      stop: async () => {
        const timer = setTimeout(() => child.kill('SIGKILL'), 10_000)
        await end('SIGTERM')
        clearTimeout(timer)
      }
    }
  } catch (error) {
    child.kill('SIGKILL')
    throw new LedgerError('UNAVAILABLE', complaints() ?? `${name} did not start: ${(error as Error).message}`, error)
  }
}

async function readyLine(child: ChildProcess, exited: Promise<unknown[]>, name: string): Promise<{ url: string }> {
  if (child.stdout === null) throw new Error('no stdout')
  const lines = createInterface({ input: child.stdout })
  const first = once(lines, 'line', { signal: AbortSignal.timeout(startMs) }).then(
    ([line]) => String(line),
    () => {
      throw new LedgerError('UNAVAILABLE', `not up after ${startMs / 1_000} s: is this machine busy?`)
    }
  )
  const failed = exited.then(([code, signal]) => {
    throw new LedgerError('UNAVAILABLE', `${name} ended with ${String(code ?? signal)}`)
  })
  failed.catch(() => undefined)
  return JSON.parse(await Promise.race([first, failed])) as { url: string }
}

/** Writes the child's stderr to a file. The returned function gives its last error. */
function collectErrors(child: ChildProcess, path: string): () => string | undefined {
  const log = createWriteStream(path, { flags: 'a', mode: 0o600 })
  log.on('error', () => undefined)
  let last: string | undefined
  if (child.stderr !== null)
    createInterface({ input: child.stderr }).on('line', (line) => {
      log.write(`${line}\n`)
      last = messageOf(line) ?? last
    })
  child.once('close', () => log.end())
  return () => last
}

function messageOf(line: string): string | undefined {
  try {
    const { error } = JSON.parse(line) as { error?: { message?: string; cause?: string } }
    return error?.cause === undefined ? error?.message : `${error.message ?? ''} (${error.cause})`
  } catch {
    return undefined
  }
}

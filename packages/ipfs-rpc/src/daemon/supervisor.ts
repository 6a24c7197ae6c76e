import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'

/**
 * Runs between us and the daemon, in a process and session of its own: when the channel to us closes, however we end
 * (also by `kill -9`), it ends the daemon and then itself. Given as text, so that it works from sources, from the build
 * and from inside somebody's bundle alike. Arguments: SIGTERM-to-SIGKILL milliseconds, the script of the guard or nothing,
 * the command and its arguments.
 */
const script = `
const { spawn } = require('node:child_process')
const [grace, guardScript, command, ...args] = process.argv.slice(1)
const child = spawn(command, args, { stdio: ['ignore', 'inherit', 'inherit'] })
const tell = (message, done = () => {}) => process.connected ? process.send(message, () => done()) : done()
let stopping = false
const stop = () => {
  if (stopping) return
  stopping = true
  // A stopped process takes no SIGTERM before it continues.
  child.kill('SIGTERM')
  child.kill('SIGCONT')
  setTimeout(() => child.kill('SIGKILL'), Number(grace))
}
let guard
child.on('spawn', () => {
  if (guardScript !== '') {
    guard = spawn('/bin/sh', ['-c', guardScript, 'sh', String(child.pid)], { stdio: ['pipe', 'ignore', 'ignore'], detached: true })
    guard.on('error', () => {})
    guard.stdin.on('error', () => {})
  }
  tell({ type: 'pid', pid: child.pid, guardPid: guard?.pid })
})
process.on('disconnect', stop)
process.on('message', stop)
for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP']) process.on(signal, stop)
process.stdout.on('error', () => {})
process.stderr.on('error', () => {})
child.on('error', (error) => tell({ type: 'failed', message: error.message }, () => process.exit(1)))
child.on('exit', (code, signal) => {
  guard?.stdin.end('the daemon is gone\\n')
  tell({ type: 'exit', code, signal }, () => process.exit(0))
})
`

/**
 * Holds one end of a pipe to the supervisor. A line in it says that the daemon is gone; the end of the pipe without one,
 * that the supervisor was killed and can end nothing any more.
 */
const guardScript = process.platform === 'win32' ? '' : 'read -r line || kill -9 "$1"'

const [setpriv, ...parentDeath] = ['setpriv', '--pdeathsig', 'KILL'] as const

/** Whether the kernel can be told to end the daemon with its supervisor: then nobody need be left to do it. */
export function kernelEndsOrphans(env: NodeJS.ProcessEnv): boolean {
  return process.platform === 'linux' && spawnSync(setpriv, [...parentDeath, 'true'], { env }).status === 0
}

const supervisorGrace = 5_000

export interface SupervisedExit {
  readonly code: number | null
  readonly signal: string | null
  /** The last output. */
  readonly output: string
}

/** A daemon process that cannot outlive this process. */
export class SupervisedProcess {
  readonly #supervisor: ChildProcess
  readonly #grace: number
  readonly #waiters = new Set<() => void>()
  #output = ''
  #pid: number | undefined
  #guardPid: number | undefined
  #reported: { code: number | null; signal: string | null } | undefined
  /** Resolves when the daemon is gone. */
  readonly exited: Promise<SupervisedExit>

  constructor(binary: string, args: readonly string[], env: NodeJS.ProcessEnv, grace: number) {
    this.#grace = grace
    const command = [...(kernelEndsOrphans(env) ? [setpriv, ...parentDeath] : []), binary, ...args]
    this.#supervisor = spawn(process.execPath, ['-e', script, String(grace), guardScript, ...command], {
      env: { ...env, ELECTRON_RUN_AS_NODE: '1', NODE_OPTIONS: '' },
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
      // Out of our process group: Ctrl-C in a terminal reaches us, and we stop the daemon in order.
      detached: true,
      windowsHide: true
    })
    const collect = (text: Buffer): void => {
      this.#output = (this.#output + text.toString('utf8')).slice(-16_384)
      for (const waiter of this.#waiters) waiter()
    }
    this.#supervisor.stdout?.on('data', collect)
    this.#supervisor.stderr?.on('data', collect)
    this.#supervisor.on('message', (message: unknown) => this.#onMessage(message))
    this.exited = new Promise((resolve) => {
      const onEnd = (): void => {
        void this.#endOrphan().then(() => {
          const { code, signal } = this.#reported ?? { code: null, signal: null }
          resolve({ code, signal, output: this.#output })
        })
      }
      this.#supervisor.on('error', (error) => {
        this.#output += error.message
        onEnd()
      })
      this.#supervisor.on('exit', onEnd)
    })
  }

  /** Of the daemon; known soon after the start. */
  get pid(): number | undefined {
    return this.#pid
  }

  /** Of the shell that ends the daemon if the supervisor cannot. */
  get guardPid(): number | undefined {
    return this.#guardPid
  }

  get supervisorPid(): number | undefined {
    return this.#supervisor.pid
  }

  /** Resolves when the output holds `text`, with `false` when the process ended first. */
  async printed(text: string): Promise<boolean> {
    let waiter: () => void = () => {}
    const seen = new Promise<boolean>((resolve) => {
      waiter = () => {
        if (this.#output.includes(text)) resolve(true)
      }
    })
    this.#waiters.add(waiter)
    waiter()
    try {
      return await Promise.race([seen, this.exited.then(() => false)])
    } finally {
      this.#waiters.delete(waiter)
    }
  }

  /** Ends the daemon, in order if it takes it, and resolves when it is gone. */
  async stop(): Promise<void> {
    if (this.#supervisor.connected) this.#supervisor.send({ type: 'stop' }, () => {})
    else this.#supervisor.kill('SIGTERM')
    // A supervisor that stands still itself: whoever looks for its end (guard, kernel, we) ends the daemon then.
    const force = setTimeout(() => this.#supervisor.kill('SIGKILL'), this.#grace + supervisorGrace)
    await this.exited.finally(() => clearTimeout(force))
  }

  #onMessage(message: unknown): void {
    const { type, pid, guardPid, code, signal, message: text } = (message ?? {}) as Record<string, unknown>
    if (type === 'pid' && typeof pid === 'number') {
      this.#pid = pid
      if (typeof guardPid === 'number') this.#guardPid = guardPid
    } else if (type === 'failed') this.#output += String(text)
    else if (type === 'exit') this.#reported = { code: code as number | null, signal: signal as string | null }
  }

  /** Somebody killed the supervisor, and only that. */
  async #endOrphan(): Promise<void> {
    if (this.#reported !== undefined || this.#pid === undefined) return
    await endProcess(this.#pid, this.#grace)
  }
}

/** Ends a process that is not our child: SIGTERM, then SIGKILL after `grace` milliseconds. */
export async function endProcess(pid: number, grace: number): Promise<void> {
  const start = performance.now()
  if (!sendSignal(pid, 'SIGTERM')) return
  sendSignal(pid, 'SIGCONT')
  for (let killed = false; isAlive(pid);) {
    if (!killed && performance.now() - start > grace) {
      killed = true
      sendSignal(pid, 'SIGKILL')
    }
    if (performance.now() - start > grace + 5_000) return
    await new Promise((resolve) => setTimeout(resolve, 25))
  }
}

export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return !isZombie(pid)
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
}

/** One that has ended, but that nobody waited for: in containers without an init it stays in the list for ever. */
function isZombie(pid: number): boolean {
  try {
    return /^\d+ \(.*\) Z /s.test(readFileSync(`/proc/${pid}/stat`, 'utf8'))
  } catch {
    return false
  }
}

function sendSignal(pid: number, signal: NodeJS.Signals): boolean {
  try {
    return process.kill(pid, signal)
  } catch {
    return false
  }
}

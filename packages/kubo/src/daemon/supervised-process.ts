import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { setTimeout as sleep } from 'node:timers/promises'
import { promisify } from 'node:util'
import { endProcess } from './processes.ts'
import { guardScript, supervisorScript } from './supervisor-script.ts'

const run = promisify(execFile)
const parentDeath = ['setpriv', '--pdeathsig', 'KILL'] as const
const supervisorGrace = 5_000
const outputGrace = 1_000

/** The command prefix that makes the kernel end a process together with its parent; empty where that is not available. */
export async function kernelEndsOrphans(env: NodeJS.ProcessEnv): Promise<readonly string[]> {
  if (process.platform !== 'linux') return []
  const [command, ...args] = parentDeath
  return await run(command, [...args, 'true'], { env }).then(
    () => parentDeath,
    () => []
  )
}

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
  /** Resolves when the daemon has ended. */
  readonly exited: Promise<SupervisedExit>

  /** `grace`: milliseconds from SIGTERM to SIGKILL. */
  constructor(command: readonly string[], env: NodeJS.ProcessEnv, grace: number) {
    this.#grace = grace
    this.#supervisor = spawn(process.execPath, ['-e', supervisorScript, String(grace), guardScript, ...command], {
      env: { ...env, ELECTRON_RUN_AS_NODE: '1', NODE_OPTIONS: '' },
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
      // Outside our process group: Ctrl-C in a terminal reaches us, and we stop the daemon cleanly.
      detached: true,
      windowsHide: true
    })
    const collect = (text: Buffer): void => {
      this.#output = (this.#output + text.toString('utf8')).slice(-16_384)
      this.#wake()
    }
    this.#supervisor.stdout?.on('data', collect)
    this.#supervisor.stderr?.on('data', collect)
    this.#supervisor.on('message', (message: unknown) => this.#onMessage(message))
    // Not `once` of `node:events`, which rejects if the process could not be started.
    const closed = new Promise<void>((resolve) => this.#supervisor.once('close', () => resolve()))
    this.exited = new Promise((resolve) => {
      const onEnd = (): void => void this.#lastWords(closed).then(resolve)
      this.#supervisor.on('error', (error) => {
        this.#output += error.message
        onEnd()
      })
      this.#supervisor.on('exit', onEnd)
    })
  }

  /** Process id of the daemon; known soon after the start, and in any case after {@link printed} has found its text. */
  get pid(): number | undefined {
    return this.#pid
  }

  /** Process id of the shell that ends the daemon if the supervisor cannot. */
  get guardPid(): number | undefined {
    return this.#guardPid
  }

  get supervisorPid(): number | undefined {
    return this.#supervisor.pid
  }

  /** Resolves when the output contains `text` and the process id is known; with `false` when the process ended first. */
  async printed(text: string): Promise<boolean> {
    let waiter: () => void = () => {}
    const seen = new Promise<boolean>((resolve) => {
      waiter = () => {
        if (this.#pid !== undefined && this.#output.includes(text)) resolve(true)
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

  /** Whether the daemon keeps this process alive, as it does at first. When this process ends, so does the daemon. */
  hold(alive: boolean): void {
    const { channel, stdout, stderr } = this.#supervisor
    for (const handle of [this.#supervisor, channel, stdout, stderr] as ({ ref(): void; unref(): void } | null)[])
      if (alive) handle?.ref()
      else handle?.unref()
  }

  /** Ends the daemon, cleanly if possible. Resolves when it has ended. */
  async stop(): Promise<void> {
    this.hold(true)
    if (this.#supervisor.connected) this.#supervisor.send({ type: 'stop' }, () => {})
    else this.#supervisor.kill('SIGTERM')
    // A stalled supervisor is killed. Its guard, the kernel or we then end the daemon.
    const force = setTimeout(() => this.#supervisor.kill('SIGKILL'), this.#grace + supervisorGrace)
    await this.exited.finally(() => clearTimeout(force))
  }

  #onMessage(message: unknown): void {
    const { type, pid, guardPid, code, signal, message: text } = (message ?? {}) as Record<string, unknown>
    if (type === 'pid' && typeof pid === 'number') {
      this.#pid = pid
      if (typeof guardPid === 'number') this.#guardPid = guardPid
      this.#wake()
    } else if (type === 'failed') this.#output += String(text)
    else if (type === 'exit') this.#reported = { code: code as number | null, signal: signal as string | null }
  }

  #wake(): void {
    for (const waiter of this.#waiters) waiter()
  }

  /** The output of supervisor and daemon comes through pipes, and may arrive after their end is known. */
  async #lastWords(closed: Promise<unknown>): Promise<SupervisedExit> {
    if (this.#supervisor.pid !== undefined && this.#supervisor.connected)
      await new Promise<void>((resolve) => this.#supervisor.once('disconnect', resolve))
    await this.#endOrphan()
    // A process left behind by the daemon may keep its output open.
    await Promise.race([closed, sleep(outputGrace, undefined, { ref: false })])
    const { code, signal } = this.#reported ?? { code: null, signal: null }
    return { code, signal, output: this.#output }
  }

  /** Ends the daemon when only the supervisor was killed. */
  async #endOrphan(): Promise<void> {
    if (this.#reported !== undefined || this.#pid === undefined) return
    await endProcess(this.#pid, this.#grace)
  }
}

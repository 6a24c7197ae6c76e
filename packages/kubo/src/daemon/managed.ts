import { resolve } from 'node:path'
import type { P2plError } from '@p2pl/core/backend'
import { classify, failure } from '../errors.ts'
import type { Target } from '../rpc/target.ts'
import { checkDaemonOptions } from './check-options.ts'
import { lastLines, launch } from './launch.ts'
import type { DaemonOptions } from './options.ts'
import type { SupervisedProcess } from './supervised-process.ts'

const firstPause = 250
const longestPause = 30_000
const healthyAfter = 60_000

export interface ManagedDaemonHooks {
  /** A message for a person. */
  warn(message: string): void
  /** The process has ended and is being restarted. */
  lost(error: P2plError): void
  /** The daemon runs again, perhaps at another address. */
  back(target: Target): void
}

/** A daemon process that is started, restarted after a crash, and stopped. */
export class ManagedDaemon {
  readonly #options: DaemonOptions
  readonly #pubsub: boolean
  #process: SupervisedProcess | undefined
  /** The process that is being ended because it hung. */
  #ending: SupervisedProcess | undefined
  #hooks: ManagedDaemonHooks | undefined
  #restart: NodeJS.Timeout | undefined
  #relaunch: Promise<void> = Promise.resolve()
  #life: AbortController | undefined
  #failures = 0

  constructor(options: DaemonOptions, pubsub: boolean) {
    checkDaemonOptions(options)
    this.#options = { ...options, repo: resolve(options.repo) }
    this.#pubsub = pubsub
  }

  async start(hooks: ManagedDaemonHooks, signal: AbortSignal | undefined): Promise<Target> {
    this.#hooks = hooks
    this.#failures = 0
    const life = new AbortController()
    this.#life = life
    return await this.#launch(signal === undefined ? life.signal : AbortSignal.any([signal, life.signal]))
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

  /** Ends a process that has not answered for `silence` milliseconds, so that it is restarted. */
  hung(silence: number): void {
    const daemon = this.#process
    if (daemon === undefined || daemon === this.#ending) return
    this.#ending = daemon
    this.#hooks?.warn(
      `the daemon runs, but has not answered for ${Math.round(silence / 1000)} s: it is ended and started again`
    )
    void daemon.stop()
  }

  async #launch(signal: AbortSignal): Promise<Target> {
    const { process: daemon, target } = await launch(this.#options, this.#pubsub, signal)
    this.#process = daemon
    // An idle app may end, and the daemon ends with it.
    daemon.hold(false)
    const started = performance.now()
    void daemon.exited.then(({ signal: by, code, output }) => {
      if (this.#process !== daemon) return
      this.#process = undefined
      if (performance.now() - started > healthyAfter) this.#failures = 0
      const how = daemon === this.#ending ? 'hung' : 'ended by itself'
      this.#crashed(
        failure(
          'UNREACHABLE',
          'daemon',
          `the daemon ${how} (${by ?? `exit code ${code ?? 'unknown'}`}) and is started again: ${lastLines(output)}`
        )
      )
    })
    return target
  }

  #crashed(error: P2plError): void {
    const life = this.#life
    if (life === undefined) return
    this.#hooks?.lost(error)
    const pause = Math.min(longestPause, firstPause * 2 ** Math.min(this.#failures++, 10))
    this.#restart = setTimeout(() => {
      this.#relaunch = this.#startAgain(life.signal)
    }, pause)
    this.#restart.unref()
  }

  async #startAgain(signal: AbortSignal): Promise<void> {
    try {
      const target = await this.#launch(signal)
      if (!signal.aborted) this.#hooks?.back(target)
    } catch (cause) {
      if (signal.aborted) return
      const error = classify('daemon', cause)
      this.#hooks?.warn(`the daemon could not be started again and is tried again later: ${error.message}`)
      this.#crashed(error)
    }
  }
}

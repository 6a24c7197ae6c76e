import { throwIfAborted, type AbortOptions, type StartOptions } from '@p2pl/core/backend'
import { untilAborted } from './abort.ts'
import type { Failures } from './failures.ts'

export interface LifecycleParts<Running> {
  /** Brings everything up. A failure leaves nothing running. */
  begin(onEvent: StartOptions['onEvent']): Promise<Running>
  /** Releases everything. Calls are refused already. */
  end(running: Running): Promise<void>
}

/** `start` and `stop` as the port wants them: idempotent, concurrent, abortable, and possible again after each other. */
export class Lifecycle<Running> {
  readonly #failures: Failures
  readonly #parts: LifecycleParts<Running>
  #running: Running | undefined
  #starting: Promise<void> | undefined
  #stopping: Promise<void> | undefined

  constructor(failures: Failures, parts: LifecycleParts<Running>) {
    this.#failures = failures
    this.#parts = parts
  }

  /** What `begin` brought up; `undefined` before `start` and from `stop` on. */
  get running(): Running | undefined {
    return this.#running
  }

  async start(options?: StartOptions): Promise<void> {
    throwIfAborted('start', options?.signal, this.#failures.backend)
    await this.#stopping
    if (this.#running !== undefined) return
    this.#starting ??= this.#start(options?.onEvent).finally(() => {
      this.#starting = undefined
    })
    const { signal } = options ?? {}
    if (signal === undefined) {
      await this.#starting
      return
    }
    try {
      await untilAborted(this.#starting, signal)
    } catch (error) {
      // What was begun for this caller must not go on without it.
      if (signal.aborted) await this.stop()
      throw this.#failures.classify('start', error, signal)
    }
  }

  async stop(_options?: AbortOptions): Promise<void> {
    this.#stopping ??= this.#stop().finally(() => {
      this.#stopping = undefined
    })
    await this.#stopping
  }

  async #start(onEvent: StartOptions['onEvent']): Promise<void> {
    this.#running = await this.#parts.begin(onEvent)
  }

  async #stop(): Promise<void> {
    // A start that is under way is awaited, whatever it comes to: its parts are released below.
    await this.#starting?.catch(() => {})
    const running = this.#running
    if (running === undefined) return
    this.#running = undefined
    await this.#parts.end(running)
  }
}

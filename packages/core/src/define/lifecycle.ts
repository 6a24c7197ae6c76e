import { abortError, P2plError, throwIfAborted } from '../errors.ts'
import type { AbortOptions } from '../port/common.ts'
import type { StartOptions } from '../port/backend.ts'
import type { OpenedBackend } from '../port/definition.ts'
import type { BackendEvent, EngineEvent } from '../port/events.ts'
import { untilAborted } from '../toolbox/until-aborted.ts'

export interface LifecycleParts {
  readonly name: string
  readonly open: (signal: AbortSignal, report: (event: EngineEvent) => void) => Promise<OpenedBackend>
  /** The engine is there: calls may begin. Throws if the engine is not what was declared. */
  readonly opened: (engine: OpenedBackend) => void
  /** No further call begins, and pending calls end. */
  readonly closing: () => void
  readonly typed: (error: unknown, operation: string) => P2plError
}

/** One attempt to start, shared by all callers that ask for it at the same time. */
interface Attempt {
  readonly life: AbortController
  /** Settles with `settled`, or when the attempt is given up. */
  readonly done: Promise<void>
  /** The engine is open, or nothing of it is left. */
  readonly settled: Promise<void>
  waiting: number
}

interface Running {
  readonly engine: OpenedBackend
  readonly life: AbortController
  /** Whether a call of `start` has resolved, whatever happened to other calls that shared the attempt. */
  wanted: boolean
}

/** `start` and `stop`: idempotent, concurrent, abortable, and possible again after each other. */
export class Lifecycle {
  readonly #parts: LifecycleParts
  #attempt: Attempt | undefined
  #running: Running | undefined
  /** The end of the previous engine or attempt. The next one waits for it, because both may need the same folder or port. */
  #ended: Promise<void> = Promise.resolve()
  readonly #listeners = new Set<(event: BackendEvent) => void>()

  constructor(parts: LifecycleParts) {
    this.#parts = parts
  }

  async start({ signal, onEvent }: StartOptions = {}): Promise<void> {
    const { name, typed } = this.#parts
    throwIfAborted('start', signal, name)
    if (onEvent !== undefined) this.#listeners.add(onEvent)
    if (this.#running !== undefined) {
      this.#running.wanted = true
      return
    }
    const attempt = (this.#attempt ??= this.#begin())
    attempt.waiting++
    try {
      await (signal === undefined ? attempt.done : untilAborted(attempt.done, signal))
      const running = this.#runningOf(attempt)
      if (running !== undefined) running.wanted = true
    } catch (error) {
      if (onEvent !== undefined) this.#listeners.delete(onEvent)
      throw signal?.aborted === true ? abortError('start', signal, name) : typed(error, 'start')
    } finally {
      // When the last waiting caller has given up, nothing may go on: neither the attempt, nor an engine that it has opened
      // at that same moment.
      if (--attempt.waiting === 0) {
        const running = this.#runningOf(attempt)
        if (running === undefined) this.#abandon(attempt)
        else if (!running.wanted) void this.stop()
      }
    }
  }

  #runningOf({ life }: Attempt): Running | undefined {
    return this.#running?.life === life ? this.#running : undefined
  }

  #begin(): Attempt {
    const life = new AbortController()
    const settled = this.#open(life)
    const done = untilAborted(settled, life.signal)
    done.catch(() => undefined)
    return { life, done, settled, waiting: 0 }
  }

  async #open(life: AbortController): Promise<void> {
    const { open, opened } = this.#parts
    try {
      await this.#ended
      life.signal.throwIfAborted()
      const engine = await open(life.signal, (event) => {
        this.#report(event, life.signal)
      })
      if (life.signal.aborted) {
        await this.#close(engine)
        throw life.signal.reason
      }
      try {
        opened(engine)
      } catch (error) {
        await this.#close(engine)
        throw error
      }
      this.#running = { engine, life, wanted: false }
    } finally {
      if (this.#attempt?.life === life) this.#attempt = undefined
    }
  }

  #abandon(attempt: Attempt): void {
    attempt.life.abort(this.#notRunning())
    if (this.#attempt === attempt) this.#attempt = undefined
    this.#endsWith(attempt.settled)
  }

  async stop({ signal }: AbortOptions = {}): Promise<void> {
    if (this.#attempt !== undefined) this.#abandon(this.#attempt)
    const running = this.#running
    if (running !== undefined) {
      this.#running = undefined
      this.#parts.closing()
      running.life.abort(this.#notRunning())
      this.#endsWith(this.#close(running.engine))
    }
    try {
      await (signal === undefined ? this.#ended : untilAborted(this.#ended, signal))
    } catch {
      throw abortError('stop', signal as AbortSignal, this.#parts.name)
    }
  }

  #endsWith(end: Promise<void>): void {
    this.#ended = Promise.allSettled([this.#ended, end]).then(() => {
      if (this.#running === undefined && this.#attempt === undefined) this.#listeners.clear()
    })
  }

  /** Never rejects: nobody can do more about an engine that fails to stop than to warn. */
  async #close(engine: OpenedBackend): Promise<void> {
    try {
      await engine.close()
    } catch (error) {
      this.#tell({ type: 'warning', message: `stopping failed: ${this.#parts.typed(error, 'stop').message}` })
    }
  }

  #report(event: EngineEvent, life: AbortSignal): void {
    if (!life.aborted) this.#tell(event)
  }

  /** An event from a leg of a combinator keeps the name of that leg. */
  #tell(event: EngineEvent | BackendEvent): void {
    for (const listener of this.#listeners) listener({ backend: this.#parts.name, ...event })
  }

  #notRunning(): P2plError {
    const { name } = this.#parts
    return new P2plError({ code: 'NOT_RUNNING', backend: name, message: `the backend "${name}" was stopped` })
  }
}

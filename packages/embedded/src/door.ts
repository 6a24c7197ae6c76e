import { throwIfAborted, type AbortOptions } from '@p2pl/core/backend'
import { untilAborted } from './abort.ts'
import type { Failures } from './failures.ts'

/**
 * Hands the running engine to the calls of the port, and sees to what holds for all of them: nothing starts before `start`
 * or after `stop` or with a fired signal, nothing stays pending after either, and every failure is classified.
 */
export class Door<Engine> {
  readonly failures: Failures
  #engine: Engine | undefined
  #closed = new AbortController()

  constructor(failures: Failures) {
    this.failures = failures
  }

  open(engine: Engine): void {
    this.#closed = new AbortController()
    this.#engine = engine
  }

  close(): void {
    this.#engine = undefined
    this.#closed.abort()
  }

  get engine(): Engine | undefined {
    return this.#engine
  }

  /** The running engine, or `NOT_RUNNING`. */
  enter(operation: string, options?: AbortOptions): Engine {
    throwIfAborted(operation, options?.signal, this.failures.backend)
    if (this.#engine === undefined) throw this.failures.notRunning(operation)
    return this.#engine
  }

  /** A call that ends soon by itself: it is not raced against the signal. */
  async quick<T>(
    operation: string,
    options: AbortOptions | undefined,
    work: (engine: Engine) => T | Promise<T>
  ): Promise<T> {
    const engine = this.enter(operation, options)
    const closed = this.#closed.signal
    try {
      return await work(engine)
    } catch (error) {
      throw this.#failed(operation, error, options?.signal, closed)
    }
  }

  /** A call that may take long. `signal` fires with the caller's, and when the backend stops. */
  async call<T>(
    operation: string,
    options: AbortOptions | undefined,
    work: (engine: Engine, signal: AbortSignal) => Promise<T>
  ): Promise<T> {
    const engine = this.enter(operation, options)
    const closed = this.#closed.signal
    const signal = options?.signal === undefined ? closed : AbortSignal.any([options.signal, closed])
    try {
      return await untilAborted(work(engine, signal), signal)
    } catch (error) {
      throw this.#failed(operation, error, options?.signal, closed)
    }
  }

  /** The same for what yields. The end of the loop, however it comes, aborts `signal`. */
  async *iterate<T>(
    operation: string,
    options: AbortOptions | undefined,
    work: (engine: Engine, signal: AbortSignal) => AsyncIterable<T>
  ): AsyncGenerator<T, void, undefined> {
    const engine = this.enter(operation, options)
    const closed = this.#closed.signal
    const done = new AbortController()
    const sources = [done.signal, closed]
    if (options?.signal !== undefined) sources.push(options.signal)
    const signal = AbortSignal.any(sources)
    const iterator = work(engine, signal)[Symbol.asyncIterator]()
    try {
      for (;;) {
        const next = await untilAborted(iterator.next(), signal)
        if (next.done === true) return
        yield next.value
      }
    } catch (error) {
      throw this.#failed(operation, error, options?.signal, closed)
    } finally {
      done.abort()
      // It may be stuck in the engine: its end is not awaited.
      void Promise.resolve(iterator.return?.()).catch(() => {})
    }
  }

  #failed(operation: string, error: unknown, signal: AbortSignal | undefined, closed: AbortSignal): Error {
    if (closed.aborted && signal?.aborted !== true) return this.failures.notRunning(operation)
    return this.failures.classify(operation, error, signal)
  }
}

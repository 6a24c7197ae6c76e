import { errorMessage, isP2plError, P2plError, throwIfAborted, withFields } from '../errors.ts'
import type { AbortOptions, HookOptions } from '../port/common.ts'
import type { BackendDefinition, OpenedBackend } from '../port/definition.ts'
import { UnderWay } from './under-way.ts'

/**
 * The rules for every call of a backend: no call begins while the backend is stopped or after its signal has fired, no call
 * stays pending after either, and every failure is typed.
 */
export class Calls {
  readonly #definition: BackendDefinition
  #engine: OpenedBackend | undefined
  readonly #underWay = new Set<UnderWay>()

  constructor(definition: BackendDefinition) {
    this.#definition = definition
  }

  get engine(): OpenedBackend | undefined {
    return this.#engine
  }

  open(engine: OpenedBackend): void {
    this.#engine = engine
  }

  close(): void {
    this.#engine = undefined
    for (const call of this.#underWay) call.cut(this.#notRunning('stop'))
  }

  /** The running engine. Throws `NOT_RUNNING` if there is none. */
  enter(operation: string, signal?: AbortSignal): OpenedBackend {
    throwIfAborted(operation, signal, this.#definition.name)
    if (this.#engine === undefined) throw this.#notRunning(operation)
    return this.#engine
  }

  /** Settles with the work, the caller's signal or the end of the backend, whichever comes first. */
  call<T>(
    operation: string,
    options: AbortOptions | undefined,
    work: (engine: OpenedBackend, options: HookOptions) => Promise<T>
  ): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      const engine = this.enter(operation, options?.signal)
      const underWay = this.#begin(operation, options, reject)
      attempt(() => work(engine, underWay.options)).then(
        (value) => {
          underWay.end()
          resolve(value)
        },
        (error: unknown) => {
          underWay.end()
          reject(this.typed(error, operation))
        }
      )
    })
  }

  /** The same from item to item. However the loop ends, the end fires the hook's signal. */
  iterate<T>(
    operation: string,
    options: AbortOptions | undefined,
    open: (engine: OpenedBackend, options: HookOptions) => AsyncIterable<T>
  ): AsyncIterable<T> {
    return { [Symbol.asyncIterator]: () => this.#iterate(operation, options, open) }
  }

  async *#iterate<T>(
    operation: string,
    options: AbortOptions | undefined,
    open: (engine: OpenedBackend, options: HookOptions) => AsyncIterable<T>
  ): AsyncGenerator<T, void, undefined> {
    const engine = this.enter(operation, options?.signal)
    let fail: ((error: P2plError) => void) | undefined
    let failure: P2plError | undefined
    const underWay = this.#begin(operation, options, (error) => {
      failure = error
      fail?.(error)
    })
    let iterator: AsyncIterator<T> | undefined
    let done = false
    try {
      iterator = open(engine, underWay.options)[Symbol.asyncIterator]()
      for (;;) {
        if (failure !== undefined) throw failure
        const item = await new Promise<IteratorResult<T>>((resolve, reject) => {
          fail = reject
          ;(iterator as AsyncIterator<T>).next().then(resolve, reject)
        })
        fail = undefined
        if (item.done === true) {
          done = true
          return
        }
        yield item.value
      }
    } catch (error) {
      throw failure ?? this.typed(error, operation)
    } finally {
      underWay.end()
      underWay.abort(failure ?? this.#left(operation))
      // The iterator may be stuck in the engine, so nobody waits for it.
      if (!done) void Promise.resolve(iterator?.return?.()).catch(() => undefined)
    }
  }

  #begin(operation: string, options: AbortOptions | undefined, reject: (error: P2plError) => void): UnderWay {
    return new UnderWay(this.#underWay, this.#definition.name, operation, options, reject)
  }

  /** Converts any failure of a hook to the one error type, with this backend and the operation. */
  typed(error: unknown, operation: string): P2plError {
    const { name: backend } = this.#definition
    if (isP2plError(error)) {
      return error.backend === backend && error.operation === operation
        ? error
        : withFields(error, { backend, operation })
    }
    const known = this.#definition.classify?.(error, operation)
    const said = errorMessage(error)
    return new P2plError({
      code: known?.code ?? 'ENGINE',
      retryable: known?.retryable,
      backend,
      operation,
      cause: error,
      message: known?.message ?? `the backend "${backend}" failed in ${operation}: ${said}`
    })
  }

  #left(operation: string): P2plError {
    const { name: backend } = this.#definition
    return new P2plError({ code: 'ABORTED', backend, operation, message: `${operation} was ended by its reader` })
  }

  #notRunning(operation: string): P2plError {
    const { name } = this.#definition
    return new P2plError({
      code: 'NOT_RUNNING',
      backend: name,
      operation,
      message: `${operation}: the backend "${name}" does not run`
    })
  }
}

/** A hook may throw synchronously instead of rejecting. */
function attempt<T>(work: () => Promise<T>): Promise<T> {
  try {
    return work()
  } catch (error) {
    return Promise.reject(error)
  }
}

import { abortError, isP2plError, throwIfAborted } from '@p2pl/core/backend'
import type { P2plError } from '@p2pl/core/backend'
import { backendName, failure } from '../errors.ts'

/** Begins something that ends later through `resolve` or `reject`; what it returns takes that back. */
export type Begin<T> = (resolve: (value: T) => void, reject: (error: unknown) => void) => (() => void) | undefined

/** Knows whether the backend runs, and ends every call under way when it stops. */
export class Lifecycle {
  #running = false
  readonly #underWay = new Set<() => void>()

  get running(): boolean {
    return this.#running
  }

  start(): void {
    this.#running = true
  }

  stop(): void {
    this.#running = false
    for (const end of this.#underWay) end()
  }

  /** Every call begins with it. */
  assert(operation: string, signal?: AbortSignal): void {
    if (!this.#running) throw notRunning(operation)
    throwIfAborted(operation, signal, backendName)
  }

  /** A wait that ends with its value, its error, the signal or the backend's stop, whichever comes first. */
  wait<T>(operation: string, signal: AbortSignal | undefined, begin: Begin<T>): Promise<T> {
    this.assert(operation, signal)
    return new Promise<T>((resolve, reject) => {
      let ended = false
      let cancel: (() => void) | undefined
      const end = (): boolean => {
        if (ended) return false
        ended = true
        this.#underWay.delete(onStop)
        signal?.removeEventListener('abort', onAbort)
        cancel?.()
        return true
      }
      const fail = (error: unknown): void => {
        if (end()) reject(error)
      }
      const onStop = (): void => {
        fail(notRunning(operation))
      }
      const onAbort = (): void => {
        if (signal !== undefined) fail(abortError(operation, signal, backendName))
      }
      this.#underWay.add(onStop)
      signal?.addEventListener('abort', onAbort)
      const taken = begin((value) => {
        if (end()) resolve(value)
      }, fail)
      // `begin` may have ended the wait at once, before there was something to take back.
      if (ended) taken?.()
      else cancel = taken
    })
  }

  /**
   * The source's items. A source that fails ends it with `INVALID_ARGUMENT` and its reason; one that never yields does not
   * outlive the signal or the backend.
   */
  async *iterate<T>(
    operation: string,
    source: Iterable<T> | AsyncIterable<T>,
    signal: AbortSignal | undefined
  ): AsyncGenerator<T> {
    const iterator = Symbol.asyncIterator in source ? source[Symbol.asyncIterator]() : source[Symbol.iterator]()
    const next = async (): Promise<IteratorResult<T>> => await iterator.next()
    let ended = false
    try {
      while (true) {
        const item = await this.wait<IteratorResult<T>>(operation, signal, (resolve, reject) => {
          next().then(resolve, (cause: unknown) => {
            ended = true
            reject(sourceFailed(operation, cause))
          })
          return undefined
        })
        if (item.done === true) {
          ended = true
          return
        }
        yield item.value
      }
    } finally {
      // Not awaited: a source that hangs in `next` hangs in `return`, too.
      if (!ended) void Promise.resolve(iterator.return?.()).catch(() => undefined)
    }
  }
}

function notRunning(operation: string): P2plError {
  return failure('NOT_RUNNING', operation, `${operation} was called while the backend does not run: start it first`)
}

function sourceFailed(operation: string, cause: unknown): unknown {
  if (isP2plError(cause)) return cause
  return failure('INVALID_ARGUMENT', operation, `the source given to ${operation} failed, see the cause`, cause)
}

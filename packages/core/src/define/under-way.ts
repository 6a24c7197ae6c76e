import { abortError, type P2plError, withFields } from '../errors.ts'
import type { AbortOptions, HookOptions } from '../port/common.ts'

/** One call that a hook works on. It ends with the work, the caller's signal or the backend. */
export class UnderWay {
  /** Given to the hook. */
  readonly options: HookOptions
  readonly #operation: string
  readonly #all: Set<UnderWay>
  readonly #reject: (error: P2plError) => void
  readonly #controller = new AbortController()
  readonly #signal: AbortSignal | undefined
  readonly #onAbort: (() => void) | undefined

  /** @param all - The pending calls of the backend. This one is among them until it ends. */
  constructor(
    all: Set<UnderWay>,
    backend: string,
    operation: string,
    options: AbortOptions | undefined,
    reject: (error: P2plError) => void
  ) {
    const signal = options?.signal
    this.#all = all
    this.#operation = operation
    this.#reject = reject
    this.options = { signal: this.#controller.signal, context: options?.context }
    all.add(this)
    if (signal === undefined) return
    this.#signal = signal
    this.#onAbort = () => {
      this.cut(abortError(operation, signal, backend))
    }
    signal.addEventListener('abort', this.#onAbort)
  }

  end(): void {
    this.#all.delete(this)
    if (this.#onAbort !== undefined) this.#signal?.removeEventListener('abort', this.#onAbort)
  }

  abort(error: P2plError): void {
    this.#controller.abort(error)
  }

  /** Ends the call before its work is done. */
  cut(error: P2plError): void {
    this.end()
    // The caller's answer comes first: the hook's reaction to its signal decides nothing.
    this.#reject(error.operation === this.#operation ? error : withFields(error, { operation: this.#operation }))
    this.abort(error)
  }
}

import { errorMessage } from '@p2pl/core/backend'
import { isP2plError, P2plError } from '@p2pl/core'

const named = 10

/** Failures of single entries while the rest was listed. They are thrown when the listing is done. */
export class Problems {
  readonly #operation: string
  readonly #signal: AbortSignal | undefined
  readonly #first: { readonly what: string; readonly error: unknown }[] = []
  #count = 0

  constructor(operation: string, signal: AbortSignal | undefined) {
    this.#operation = operation
    this.#signal = signal
  }

  add(what: string, error: unknown): void {
    this.#count++
    if (this.#first.length < named) this.#first.push({ what, error })
  }

  /**
   * The result of a call. If it fails, the failure is kept and the result is `undefined`. An error that ends the whole
   * listing is thrown at once.
   */
  async guard<T>(what: string, call: () => Promise<T>): Promise<T | undefined> {
    try {
      return await call()
    } catch (error) {
      if (this.#signal?.aborted === true || isP2plError(error, 'NOT_RUNNING')) throw error
      this.add(what, error)
      return undefined
    }
  }

  /** Throws the kept failures as one error, with the code of the first, naming up to ten. */
  end(): void {
    const [first] = this.#first
    if (first === undefined) return
    const { error: cause } = first
    const lines = this.#first.map(({ what, error }) => `${what} (${errorMessage(error)})`)
    const rest = this.#count > named ? ` and ${this.#count - named} more` : ''
    throw new P2plError({
      code: isP2plError(cause) ? cause.code : 'INVALID_CONTENT',
      retryable: this.#first.some(({ error }) => isP2plError(error) && error.retryable),
      operation: this.#operation,
      cause,
      message: `all was listed but ${lines.join('; ')}${rest}`
    })
  }
}

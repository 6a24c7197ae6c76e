import type { AbortOptions } from '@p2pl/core/backend'
import { P2plError } from '@p2pl/core/backend'
import { failure, inBlocks, inMessages, type Mutant } from './mutant.ts'

/** Changes how the errors of one call look. */
function failing(name: string, caughtBy: RegExp, change: (error: P2plError) => unknown): Mutant {
  return inBlocks(name, caughtBy, (blocks) => ({
    get: async (cid, options) => {
      try {
        return await blocks.get(cid, options)
      } catch (error) {
        throw change(error as P2plError)
      }
    }
  }))
}

const again = (error: P2plError, fields: Partial<P2plError>): P2plError =>
  new P2plError({
    code: error.code,
    message: error.message,
    operation: error.operation,
    backend: error.backend,
    retryable: error.retryable,
    ...fields
  })

export const errorMutants: readonly Mutant[] = [
  failing('errors are plain', /local: true of a block/, (error) => new Error(error.message)),
  failing(
    'errors name another backend',
    /local: true of a block|before start|after stop|declared is refused|blocks.get with a signal/,
    (error) => again(error, { backend: 'engine' })
  ),
  failing(
    'errors name no backend',
    /local: true of a block|before start|after stop|declared is refused|blocks.get with a signal/,
    (error) => again(error, { backend: undefined })
  ),
  failing(
    'errors name no operation',
    /local: true of a block|before start|after stop|declared is refused|blocks.get with a signal/,
    (error) => again(error, { operation: undefined })
  ),
  failing(
    'errors name the operation of the engine',
    /local: true of a block|before start|after stop|declared is refused|blocks.get with a signal/,
    (error) => again(error, { operation: 'block/get' })
  ),
  failing(
    'every error is retryable',
    /local: true of a block|before start|after stop|declared is refused|blocks.get with a signal/,
    (error) => again(error, { retryable: true })
  ),
  failing(
    'every error has one code',
    /local: true of a block|before start|after stop|declared is refused|blocks.get with a signal/,
    (error) => again(error, { code: 'ENGINE' })
  ),
  inMessages('a wrong argument is thrown at once', /an empty topic/, (messages) => ({
    publish: (topic: string, payload: Uint8Array, options?: AbortOptions) => {
      if (topic === '') throw failure('INVALID_ARGUMENT', 'messages.publish', 'empty')
      return messages.publish(topic, payload, options)
    }
  }))
]

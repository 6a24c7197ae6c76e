import { aroundCalls } from '@p2pl/core/backend'
import type { Layer } from '@p2pl/core/backend'

/**
 * Lets calls of a crashed process neither resolve nor reject, so that its code stops where it waits. Otherwise a dead peer
 * would live on as a ghost next to its own successor.
 */
export function freezable(frozen: () => boolean): Layer {
  return aroundCalls({
    call: (_call, run) =>
      new Promise((resolve, reject) => {
        if (frozen()) return
        run().then(
          (value) => {
            if (!frozen()) resolve(value)
          },
          (error: unknown) => {
            if (!frozen()) reject(error)
          }
        )
      }),
    iterate: <T>(_call: unknown, run: () => AsyncIterable<T>) => ({
      [Symbol.asyncIterator]: () => {
        const items = run()[Symbol.asyncIterator]()
        return {
          next: async () => {
            const item = frozen() ? undefined : await items.next()
            return item === undefined || frozen() ? await new Promise<never>(() => undefined) : item
          },
          return: async () => (await items.return?.()) ?? { done: true, value: undefined }
        }
      }
    })
  })
}

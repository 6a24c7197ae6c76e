import type { Backend } from '@p2pl/core/backend'
import { check, whileCut } from './check.ts'
import { Inbox } from './inbox.ts'
import { rawBlock, uniqueName } from './samples.ts'
import { outcomeOf, poll } from './time.ts'

/** Waits until a backend that was cut off works again by itself. Until then its calls may fail with retryable errors. */
export async function usableAgain(ms: number, backend: Backend): Promise<void> {
  const { messages, blocks } = backend
  const block = await rawBlock()
  const signal = AbortSignal.timeout(Math.ceil(ms))
  const usable = await poll(ms, async () => {
    const outcomes = [
      messages && {
        operation: 'messages.subscribe',
        outcome: await outcomeOf(
          messages.subscribe(uniqueName('usable'), new Inbox(), { signal }).then(async (joined) => await joined.close())
        )
      },
      blocks && { operation: 'blocks.putMany', outcome: await outcomeOf(blocks.putMany([block], { signal })) }
    ]
    for (const part of outcomes)
      if (part !== undefined && 'error' in part.outcome) {
        whileCut(part.outcome.error, { backend, operation: part.operation, codes: [] })
        return undefined
      }
    return true
  })
  check(usable === true, 'a backend works again by itself after a cut', usable)
}

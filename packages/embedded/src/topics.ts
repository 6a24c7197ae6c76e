import type { Subscriber } from '@p2pl/core/backend'
import type { Failures } from './failures.ts'

const maxTopicBytes = 1_024
const encoder = new TextEncoder()

/** Throws `INVALID_ARGUMENT` for what is no name of a topic. */
export function checkTopic({ failure }: Failures, operation: string, topic: string): void {
  if (typeof topic !== 'string' || topic === '' || encoder.encode(topic).byteLength > maxTopicBytes)
    throw failure({
      code: 'INVALID_ARGUMENT',
      operation,
      message: `a topic is a string of 1 to ${maxTopicBytes} bytes of UTF-8`
    })
}

/** Throws `INVALID_ARGUMENT` for what are no bytes, `TOO_LARGE` for more than `maxBytes`. */
export function checkPayload({ failure }: Failures, operation: string, payload: Uint8Array, maxBytes: number): void {
  if (!(payload instanceof Uint8Array))
    throw failure({ code: 'INVALID_ARGUMENT', operation, message: 'a payload is a Uint8Array' })
  if (payload.byteLength > maxBytes)
    throw failure({
      code: 'TOO_LARGE',
      operation,
      message: `a payload has at most ${maxBytes} bytes, not ${payload.byteLength}: publish a CID instead`
    })
}

/** An object of its own for each subscription: the same subscriber may be given twice. */
export function ownSubscriber(subscriber: Subscriber): Subscriber {
  return {
    message: (message) => subscriber.message(message),
    gap: (gap) => subscriber.gap(gap),
    ...(subscriber.validate === undefined ? {} : { validate: (message) => subscriber.validate?.(message) ?? 'accept' })
  }
}

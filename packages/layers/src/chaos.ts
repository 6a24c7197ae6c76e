import {
  type Block,
  type Clock,
  invalidArgument,
  type Layer,
  P2plError,
  type Subscriber,
  systemClock
} from '@p2pl/core/backend'
import { around } from './internal/around.ts'
import type { Call } from './internal/call.ts'
import { checkNames, numberOption, operationsOption } from './internal/options.ts'
import { sleep } from './internal/sleep.ts'
import type { Operation } from './operations.ts'

export type { Operation } from './operations.ts'

/** Probabilities are from 0 (default) to 1. */
export interface ChaosOptions {
  /** A number in [0, 1): a seeded generator makes the faults the same in every run with the same calls. */
  random: () => number
  /** That a call or iteration fails with a retryable `UNREACHABLE` before the backend sees it. */
  errors?: number | undefined
  /** That a call or iteration gives no answer until its signal fires. Without a signal it fails with `INVALID_ARGUMENT`. */
  hangs?: number | undefined
  /** Longest pause in milliseconds before a call; each is drawn anew from 0 up. Default 0. */
  delay?: number | undefined
  /** That an incoming message is not delivered, without a gap. */
  messageLoss?: number | undefined
  /** That one bit of a block is wrong. */
  corruption?: number | undefined
  /** To which operations errors, hangs and delays happen. Default: all but `start` and `stop`. */
  operations?: readonly Operation[] | undefined
  clock?: Clock | undefined
}

/**
 * Does harm on purpose, for tests of what is above it. With `messageLoss` the delivery is declared `at-most-once`.
 *
 * @throws `INVALID_ARGUMENT` when an option is unknown or out of its range.
 */
export function chaos(options: ChaosOptions): Layer {
  const probability = (name: 'errors' | 'hangs' | 'messageLoss' | 'corruption'): number =>
    numberOption('chaos', name, options[name], { default: 0, min: 0, max: 1 })
  const errors = probability('errors')
  const hangs = probability('hangs')
  const messageLoss = probability('messageLoss')
  const corruption = probability('corruption')
  const delay = numberOption('chaos', 'delay', options.delay, { default: 0, min: 0 })
  checkNames('chaos', options, [
    'random',
    'errors',
    'hangs',
    'delay',
    'messageLoss',
    'corruption',
    'operations',
    'clock'
  ])
  if (typeof options.random !== 'function') throw invalidArgument('chaos', 'chaos: random must be a function')
  const harmed = operationsOption('chaos', options.operations)
  const clock = options.clock ?? systemClock
  const { random } = options
  const happens = (chance: number): boolean => chance > 0 && random() < chance

  const harm = async (call: Call): Promise<void> => {
    if (!harmed.has(call.operation)) return
    if (delay > 0) await sleep(clock, delay * random(), call)
    if (happens(hangs)) await hang(clock, call)
    if (happens(errors)) throw fault(call)
  }
  const corrupt = (bytes: Uint8Array): Uint8Array => {
    if (bytes.byteLength === 0 || !happens(corruption)) return bytes
    const wrong = bytes.slice()
    const at = Math.floor(random() * wrong.byteLength)
    wrong[at] = (wrong[at] ?? 0) ^ (1 << Math.floor(random() * 8))
    return wrong
  }

  const layer = around({
    call: async (call, run) => {
      await harm(call)
      const result = await run()
      return call.operation === 'blocks.get' ? (corrupt(result as Uint8Array) as typeof result) : result
    },
    iterate: async function* (call, run) {
      await harm(call)
      for await (const item of run()) {
        if (call.operation === 'blocks.getDag') {
          const block = item as Block
          yield { cid: block.cid, bytes: corrupt(block.bytes) } as typeof item
        } else yield item
      }
    },
    subscriber: (subscriber): Subscriber => ({
      message: (message) => {
        if (!happens(messageLoss)) subscriber.message(message)
      },
      gap: (gap) => subscriber.gap(gap),
      ...(subscriber.validate === undefined ? undefined : { validate: (m) => subscriber.validate?.(m) ?? 'ignore' })
    })
  })
  if (messageLoss === 0) return layer
  return (backend) => {
    const { messages, ...others } = backend.capabilities
    return {
      ...layer(backend),
      capabilities: { ...others, messages: messages && { ...messages, delivery: 'at-most-once' } }
    }
  }
}

function fault(call: Call): P2plError {
  return new P2plError({
    code: 'UNREACHABLE',
    operation: call.operation,
    backend: call.backend,
    message: `${call.operation} failed on purpose (chaos)`
  })
}

async function hang(clock: Clock, call: Call): Promise<never> {
  if (call.signal === undefined)
    throw new P2plError({
      code: 'INVALID_ARGUMENT',
      operation: call.operation,
      backend: call.backend,
      message: 'chaos: a call without a signal would hang for ever; put a deadline layer around chaos, or give a signal'
    })
  for (;;) await sleep(clock, 0x7fffffff, call)
}

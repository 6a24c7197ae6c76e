import {
  aroundCalls,
  type Backend,
  type Capabilities,
  checkClock,
  checkKeys,
  checkNumber,
  type Clock,
  describe,
  invalidArgument,
  type Layer,
  type LayerCall,
  type Operation,
  P2plError,
  systemClock
} from '@p2pl/core/backend'
import { checkOperations } from './internal/options.ts'
import { pause } from './internal/pause.ts'

/** Probabilities are from 0 (default) to 1. */
export interface ChaosOptions {
  /** A number in [0, 1). A seeded generator makes the faults the same in every run with the same calls. */
  random: () => number
  /** Probability that a call or an iteration fails with a retryable `UNREACHABLE` before the backend sees it. */
  errors?: number | undefined
  /**
   * Probability that a call or an iteration gives no answer until its signal fires. Without a signal it fails with
   * `INVALID_ARGUMENT`.
   */
  hangs?: number | undefined
  /** Longest pause in milliseconds before a call. Each pause is a new random value from 0 up. Default 0. */
  delay?: number | undefined
  /** Probability that an incoming message is dropped without a gap. */
  messageLoss?: number | undefined
  /** Probability that one bit of a block is wrong. */
  corruption?: number | undefined
  /** The operations that get errors, hangs and delays. Default: all but `start` and `stop`. */
  operations?: readonly Operation[] | undefined
  clock?: Clock | undefined
}

const probabilities = ['errors', 'hangs', 'messageLoss', 'corruption'] as const

/**
 * Injects faults, for tests of the code above it. With `messageLoss` the delivery is declared `at-most-once`.
 *
 * @throws `INVALID_ARGUMENT` when an option is unknown or out of its range.
 */
export function chaos(options: ChaosOptions): Layer {
  checkKeys('chaos', options ?? {}, ['random', 'delay', 'operations', 'clock', ...probabilities])
  const { random, clock = systemClock } = options ?? {}
  if (typeof random !== 'function') {
    const fix = 'such as Math.random, or a seeded one'
    throw invalidArgument('chaos', `chaos: random must be a function, ${fix}, not ${describe(random)}`)
  }
  checkClock('chaos', options.clock)
  const chances = new Map(
    probabilities.map((name) => [name, checkNumber('chaos', name, options[name], { min: 0, max: 1 }, 0)])
  )
  const delay = checkNumber('chaos', 'delay', options.delay, { min: 0 }, 0)
  const harmed = checkOperations('chaos', options.operations)
  const happens = (name: (typeof probabilities)[number]): boolean => {
    const chance = chances.get(name) ?? 0
    return chance > 0 && random() < chance
  }

  const harm = async (call: LayerCall): Promise<void> => {
    if (!harmed.has(call.operation)) return
    if (delay > 0) await pause(delay * random(), clock, call)
    if (happens('hangs')) await hang(clock, call)
    if (happens('errors')) throw failure('UNREACHABLE', call, `${call.operation} failed on purpose (chaos)`)
  }

  const layer = aroundCalls({
    call: async (call, run) => {
      await harm(call)
      const result = await run()
      const spoiled = call.operation === 'blocks.get' && happens('corruption')
      return spoiled ? (withWrongBit(result as Uint8Array, random) as typeof result) : result
    },
    iterate: async function* (call, run) {
      await harm(call)
      yield* run()
    },
    subscriber: (subscriber) => ({
      message: (message) => (happens('messageLoss') ? 'ignore' : subscriber.message(message)),
      gap: (gap) => subscriber.gap(gap),
      state: (state) => subscriber.state?.(state)
    })
  })
  return chances.get('messageLoss') === 0 ? layer : (backend) => lossy(layer(backend))
}

function withWrongBit(bytes: Uint8Array, random: () => number): Uint8Array {
  const wrong = bytes.slice()
  const at = Math.floor(random() * wrong.byteLength)
  if (wrong.byteLength > 0) wrong[at] = (wrong[at] ?? 0) ^ (1 << Math.floor(random() * 8))
  return wrong
}

/** The backend with a weaker promise. A proxy keeps everything that the backend has beyond the port. */
function lossy<B extends Backend>(backend: B): B {
  const weaker = ({ messages, ...others }: Capabilities): Capabilities => ({
    ...others,
    messages: messages && { ...messages, delivery: 'at-most-once' }
  })
  return new Proxy(backend, {
    get: (target, key) =>
      key === 'capabilities' ? weaker(target.capabilities) : (Reflect.get(target, key, target) as unknown)
  })
}

function failure(
  code: 'UNREACHABLE' | 'INVALID_ARGUMENT',
  { operation, backend }: LayerCall,
  message: string
): P2plError {
  return new P2plError({ code, operation, backend, message })
}

async function hang(clock: Clock, call: LayerCall): Promise<never> {
  if (call.options.signal === undefined)
    throw failure(
      'INVALID_ARGUMENT',
      call,
      'chaos: a call without a signal would hang for ever; put a timeout layer around chaos, or give a signal'
    )
  for (;;) await pause(0x7fffffff, clock, call)
}

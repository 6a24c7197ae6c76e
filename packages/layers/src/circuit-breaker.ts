import {
  aroundCalls,
  backoff,
  checkClock,
  checkFunction,
  checkKeys,
  checkNumber,
  type Clock,
  type Layer,
  type LayerCall,
  type Operation,
  systemClock
} from '@p2pl/core/backend'
import { Circuit, type CircuitState, judge } from './internal/circuit.ts'
import { checkOperations } from './internal/options.ts'

export interface CircuitBreakerOptions {
  /** How many of the latest calls count, 1 to 1,000. Default 20. */
  window?: number | undefined
  /** Number of calls that are needed before the circuit can open. Default 5. */
  minCalls?: number | undefined
  /** The share of failures that opens the circuit, above 0 and up to 1. Default 0.5. */
  failureShare?: number | undefined
  /** Milliseconds until the first trial call. Doubles after each failed trial. Default 1,000. */
  openFor?: number | undefined
  /** Longest time until a trial call, in milliseconds. Default 30,000. */
  maxOpenFor?: number | undefined
  /**
   * The calls that the layer watches, each with its own circuit. Default: all but `start`, `stop`, and calls to one
   * particular remote peer.
   */
  operations?: readonly Operation[] | undefined
  /** Called at each change. An error that it throws is ignored. */
  onState?: ((change: CircuitChange) => void) | undefined
  clock?: Clock | undefined
  /** A number in [0, 1). */
  random?: (() => number) | undefined
}

export interface CircuitChange {
  readonly backend: string
  readonly operation: Operation
  readonly state: CircuitState
}

export type { CircuitState } from './internal/circuit.ts'

/** A peer that cannot be reached says nothing about the backend. */
const watched: readonly Operation[] = [
  'messages.publish',
  'messages.subscribe',
  'messages.peers',
  'blocks.get',
  'blocks.putMany',
  'blocks.has',
  'blocks.delete',
  'blocks.pin',
  'blocks.unpin',
  'blocks.pins',
  'blocks.gc',
  'routing.provide',
  'routing.unprovide',
  'routing.findProviders',
  'routing.connections'
]

const optionNames = [
  'window',
  'minCalls',
  'failureShare',
  'openFor',
  'maxOpenFor',
  'operations',
  'onState',
  'clock',
  'random'
]

/**
 * Refuses calls at once while the backend fails them, and lets one through from time to time to see whether the backend
 * works again. Only failures of the backend itself count: `UNREACHABLE`, `PROTOCOL`, `OVERLOADED`, and `TIMEOUT` of calls
 * that wait for no other peer. Missing content does not open a circuit, because strangers could otherwise open one by
 * naming such content.
 *
 * A refused call throws `UNREACHABLE`, retryable and `exhausted`: a later call may succeed, and no layer above repeats this
 * one.
 *
 * @throws `INVALID_ARGUMENT` when an option is unknown or out of its range.
 */
export function circuitBreaker(options: CircuitBreakerOptions = {}): Layer {
  const name = 'circuitBreaker'
  checkKeys(name, options, optionNames)
  checkClock(name, options.clock)
  checkFunction(name, 'random', options.random)
  const window = checkNumber(name, 'window', options.window, { min: 1, max: 1_000, integer: true }, 20)
  const minCalls = checkNumber(
    name,
    'minCalls',
    options.minCalls,
    { min: 1, max: window, integer: true },
    Math.min(5, window)
  )
  const failureShare = checkNumber(name, 'failureShare', options.failureShare, { min: Number.MIN_VALUE, max: 1 }, 0.5)
  const first = checkNumber(name, 'openFor', options.openFor, { min: 1 }, 1_000)
  const longest = checkNumber(name, 'maxOpenFor', options.maxOpenFor, { min: 1 }, 30_000)
  checkFunction(name, 'onState', options.onState)
  const guarded = checkOperations(name, options.operations, watched, watched)
  const { clock = systemClock, random, onState } = options
  const circuits = new Map<string, Circuit>()

  /** `undefined` for a call that is not watched. */
  const circuitOf = (call: LayerCall): Circuit | undefined => {
    const { operation, backend } = call
    // A backend that has just been started has not failed yet.
    if (operation === 'start' || operation === 'stop') circuits.clear()
    if (!guarded.has(operation)) return undefined
    const key = `${backend}/${operation}`
    let circuit = circuits.get(key)
    if (circuit === undefined) {
      circuit = new Circuit({
        clock,
        window,
        minCalls,
        failureShare,
        pause: (attempt) => backoff({ first, longest, jitter: 0.2, random }, attempt),
        onState: (state) => {
          try {
            onState?.({ backend, operation, state })
          } catch {
            // A listener that throws must not break the call.
          }
        }
      })
      circuits.set(key, circuit)
    }
    return circuit
  }

  return aroundCalls({
    call: async (call, run) => {
      const end = circuitOf(call)?.enter(call)
      if (end === undefined) return await run()
      try {
        const result = await run()
        end('good')
        return result
      } catch (error) {
        end(judge(error, call))
        throw error
      }
    },
    iterate: async function* (call, run) {
      const end = circuitOf(call)?.enter(call)
      try {
        for await (const item of run()) {
          end?.('good')
          yield item
        }
        end?.('good')
      } catch (error) {
        end?.(judge(error, call))
        throw error
      } finally {
        // The reader left before the first item.
        end?.('neither')
      }
    }
  })
}

import { memory } from '@p2pl/memory'
import { describe, expect, it } from 'vitest'
import {
  adaptiveTimeout,
  cache,
  chaos,
  circuitBreaker,
  concurrency,
  createRetryBudget,
  hedge,
  log,
  prometheusSink,
  retry,
  timeout
} from '../src/index.ts'
import type { Layer } from '../src/index.ts'

const random = (): number => 0.5
const make: Readonly<Record<string, (options: object) => Layer>> = {
  retry: (options) => retry(options),
  timeout: (options) => timeout(options),
  adaptiveTimeout: (options) => adaptiveTimeout(options),
  hedge: (options) => hedge(options),
  circuitBreaker: (options) => circuitBreaker(options),
  concurrency: (options) => concurrency(options),
  cache: (options) => cache(options),
  log: (options) => log(options),
  chaos: (options) => chaos({ random, ...options })
}

describe.each(Object.entries(make))('%s', (_name, layer) => {
  it('takes no option that it does not have', () => {
    const wrong = expect.objectContaining({
      code: 'INVALID_ARGUMENT',
      message: expect.stringContaining('"gett"') as string
    })
    expect(() => layer({ gett: 5 })).toThrow(wrong)
    expect(layer({})(memory()).name).toBe('memory')
  })
})

it.each(['retry', 'chaos', 'hedge', 'adaptiveTimeout', 'circuitBreaker', 'concurrency'])(
  '%s takes no operation that there is not',
  (name) => {
    const layer = make[name]!
    expect(() => layer({ operations: ['block.get'] })).toThrow('"block.get" is no operation')
    expect(layer({ operations: ['blocks.get'] })(memory()).name).toBe('memory')
  }
)

it('chaos needs its source of chance', () => {
  expect(() => chaos({} as never)).toThrow(expect.objectContaining({ code: 'INVALID_ARGUMENT' }))
})

it.each<[string, () => unknown]>([
  ['a percentile over 1', () => adaptiveTimeout({ percentile: 95 })],
  ['a floor over the ceiling', () => adaptiveTimeout({ floor: 2_000, ceiling: 1_000 })],
  ['more samples than are kept', () => hedge({ minSamples: 129 })],
  ['a budget of another kind', () => retry({ budget: {} as never })],
  ['a share over 1', () => createRetryBudget({ share: 20 })],
  ['a window that is too small', () => circuitBreaker({ window: 3, minCalls: 4 })],
  ['no slot at all', () => concurrency({ limit: 0 })],
  ['half a byte', () => cache({ maxBytes: -1 })],
  ['a writer that is none', () => log({ write: 'stderr' as never })],
  ['a label that is no function', () => prometheusSink({ labelOf: 'topic' as never })],
  ['operations that are no list', () => hedge({ operations: 'blocks.get' as never })]
])('refuses %s', (_, call) => {
  expect(call).toThrow(expect.objectContaining({ code: 'INVALID_ARGUMENT' }))
})

import { memory } from '@p2pl/memory'
import { describe, expect, it } from 'vitest'
import { chaos, retry, timeout } from '../src/index.ts'
import type { Layer } from '../src/index.ts'

const random = (): number => 0.5
const make: Readonly<Record<string, (options: object) => Layer>> = {
  retry: (options) => retry(options),
  timeout: (options) => timeout(options),
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

it.each(['retry', 'chaos'])('%s takes no operation that there is not', (name) => {
  const layer = make[name]!
  expect(() => layer({ operations: ['block.get'] })).toThrow('"block.get" is no operation')
  expect(layer({ operations: ['blocks.get', 'start'] })(memory()).name).toBe('memory')
})

it('chaos needs its source of chance', () => {
  expect(() => chaos({} as never)).toThrow(expect.objectContaining({ code: 'INVALID_ARGUMENT' }))
})

import { expect, it } from 'vitest'
import { classifier } from '../src/index.ts'

it('errors are told apart by the names of the engine and the codes of the system, wherever these stand', () => {
  const classify = classifier({ EngineBusyError: 'OVERLOADED' })
  const named = Object.assign(new Error('busy'), { name: 'EngineBusyError' })
  const nested = new Error('outer', { cause: Object.assign(new Error('inner'), { code: 'ENOSPC' }) })
  expect(classify(named)).toEqual({ code: 'OVERLOADED', message: 'busy' })
  expect(classify(nested)).toEqual({ code: 'STORAGE', message: 'outer' })
  expect(classify(new AggregateError([new Error('first'), named]))).toEqual({ code: 'UNREACHABLE', message: 'first' })
  expect(classify(new AggregateError([nested]))).toMatchObject({ code: 'STORAGE' })
  expect([classify(new Error('unknown')), classify('text'), classify(undefined)]).toEqual([
    undefined,
    undefined,
    undefined
  ])
})

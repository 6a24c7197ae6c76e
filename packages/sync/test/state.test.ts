import { expect, test } from 'vitest'
import { ReplicaState } from '../src/replica/state.ts'
import { Timers } from '../src/toolbox/timers.ts'

function stateAt(): { state: ReplicaState; pass: (ms: number) => void; walk: (under: boolean) => void } {
  let now = 0
  let walking = false
  const timers = new Timers({
    now: () => now,
    wall: () => 0,
    setTimeout: () => undefined,
    clearTimeout: () => {},
    nextTurn: () => {}
  })
  return {
    state: new ReplicaState(timers, 100, () => walking),
    pass: (ms) => (now += ms),
    walk: (under) => (walking = under)
  }
}

test('a replica that hears nobody announces nothing, and six silent periods make it alone again', () => {
  const { state, pass } = stateAt()
  expect(state.current).toBe('alone')
  expect(state.committed(true)).toEqual(['later'])
  state.heard()
  expect(state.current).toBe('in company')
  expect(state.committed(true)).toEqual(['announce', 'soon'])
  expect(state.committed(false)).toEqual(['later'])
  pass(601)
  expect(state.current).toBe('alone')
})

test('a replica that catches up keeps the entries of others, tells its own, and tells the rest at the end', () => {
  const { state, walk } = stateAt()
  state.heard()
  walk(true)
  expect(state.current).toBe('catching up')
  expect(state.committed(false)).toEqual(['keep'])
  expect(state.due(false)).toBe(false)
  expect(state.due(true)).toBe(true)
  expect(state.committed(true)).toEqual(['announce', 'soon'])
  expect(state.due(false)).toBe(true)
  state.told(true)
  expect(state.due(false)).toBe(false)
  walk(false)
  expect(state.walked()).toEqual(['later'])
  expect(state.walked()).toEqual([])
  expect(state.due(false)).toBe(true)
})

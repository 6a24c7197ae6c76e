import { expect, test } from 'vitest'
import { withinTicks } from '../src/engine/streams/ticks.ts'

/** Nothing else gets a turn meanwhile. */
function standStill(ms: number): void {
  const end = performance.now() + ms
  while (performance.now() < end);
}

test('what is late is not waited for', async () => {
  expect(await withinTicks(2, new Promise(() => {}))).toBeUndefined()
})

test('what came while the process stood still is in time', async () => {
  const { promise, resolve } = Promise.withResolvers<string>()
  const outcome = withinTicks(2, promise)
  standStill(500)
  // As what a socket has brought: it is given out after the timers that are due.
  setImmediate(() => resolve('there'))
  expect(await outcome).toBe('there')
})

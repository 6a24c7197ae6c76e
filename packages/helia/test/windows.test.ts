import { expect, test } from 'vitest'
import { widenInPieces } from '../src/engine/muxer/windows.ts'

/** A stream as the library has it: it counts what comes, and gives back all that was used whenever it is told to. */
function stream({ state = 3, window = 1_000 } = {}) {
  const updates: number[] = []
  const one = {
    state,
    recvWindow: window,
    recvWindowCapacity: window,
    sendWindowUpdate(): void {
      updates.push(one.recvWindow - one.recvWindowCapacity)
      one.recvWindowCapacity = one.recvWindow
    }
  }
  widenInPieces(one)
  const receive = (bytes: number): void => {
    one.recvWindowCapacity -= bytes
    one.sendWindowUpdate()
  }
  return { one, updates, receive }
}

test('small frames are not answered one by one, and every byte is given back before a quarter of the window waits', () => {
  const { one, updates, receive } = stream()
  for (let i = 0; i < 100; i++) {
    receive(40)
    expect(one.recvWindow - one.recvWindowCapacity).toBeLessThan(250)
  }
  expect(updates).toEqual(Array.from({ length: 14 }, () => 280))
})

test('a large frame is answered at once', () => {
  const { updates, receive } = stream()
  receive(250)
  receive(1_000)
  expect(updates).toEqual([250, 1_000])
})

test.each([0, 2])('a stream that has not yet said that it is there says so (state %i)', (state) => {
  const { updates, receive } = stream({ state })
  receive(0)
  expect(updates).toEqual([0])
})

test('a stream without what this relies on is refused', () => {
  expect(() => widenInPieces({ state: 3 } as never)).toThrow(expect.objectContaining({ code: 'ENGINE' }))
})

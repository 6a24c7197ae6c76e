import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { writeWhole } from '../src/engine/connections/whole-writes.ts'
import { type Line, Silence } from '../src/engine/muxer/silence.ts'

beforeEach(() => {
  vi.useFakeTimers()
})
afterEach(() => {
  vi.useRealTimers()
})

interface TestLine extends Line {
  is: 'open' | 'busy' | 'ended'
  readonly asked: number[]
  readonly givenUp: number[]
}

function watched(silence: Silence, dialled = true): TestLine {
  const begin = performance.now()
  const seconds = (): number => Math.round((performance.now() - begin) / 1_000)
  const line: TestLine = {
    dialled,
    is: 'open',
    asked: [],
    givenUp: [],
    ended: () => line.is === 'ended',
    busy: () => line.is === 'busy',
    ask: () => line.asked.push(seconds()),
    giveUp: () => line.givenUp.push(seconds())
  }
  silence.watch(line)
  return line
}

describe('a silent peer', () => {
  test('is asked once, and its connection is given up when it does not answer', () => {
    const line = watched(new Silence())
    vi.advanceTimersByTime(60_000)
    expect(line).toMatchObject({ asked: [3], givenUp: [8] })
    expect(vi.getTimerCount()).toBe(0)
  })

  test('that answers is asked again after the next silence', () => {
    const silence = new Silence()
    const line = watched(silence)
    for (let round = 0; round < 4; round++) {
      vi.advanceTimersByTime(3_000)
      silence.heard(line)
    }
    expect(line).toMatchObject({ asked: [3, 6, 9, 12], givenUp: [] })
  })

  test('is asked by the side that has dialled, and by the other one only if that does not ask', () => {
    const silence = new Silence()
    const dialler = watched(silence, true)
    const listener = watched(silence, false)
    dialler.ask = () => {
      dialler.asked.push(0)
      silence.heard(listener)
      silence.heard(dialler)
    }
    vi.advanceTimersByTime(60_000)
    expect(dialler.asked.length).toBeGreaterThan(10)
    expect(listener.asked).toEqual([])
    const alone = watched(new Silence(), false)
    vi.advanceTimersByTime(60_000)
    expect(alone).toMatchObject({ asked: [4], givenUp: [8] })
  })

  test('is not given up while what has come from it waits to be worked on', () => {
    const line = watched(new Silence())
    line.is = 'busy'
    vi.advanceTimersByTime(60_000)
    expect(line).toMatchObject({ asked: [], givenUp: [] })
  })

  test('whose connection has ended is forgotten', () => {
    const silence = new Silence()
    const line = watched(silence)
    line.is = 'ended'
    vi.advanceTimersByTime(60_000)
    silence.heard(line)
    expect(line).toMatchObject({ asked: [], givenUp: [] })
    expect(vi.getTimerCount()).toBe(0)
  })
})

test('the parts of a message reach the socket as one write', () => {
  const calls: string[] = []
  const socket = { cork: () => calls.push('cork'), uncork: () => calls.push('uncork') }
  const connection = {
    socket,
    sendData: (parts: string[]) => {
      calls.push(...parts)
      return { sentBytes: 3, canSendMore: true }
    }
  }
  writeWhole(connection as never)
  expect(connection.sendData(['length', 'frame'])).toEqual({ sentBytes: 3, canSendMore: true })
  expect(calls).toEqual(['cork', 'length', 'frame', 'uncork'])
})

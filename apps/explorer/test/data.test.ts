import type { EntryView, Trace } from '@p2pl/ledger'
import { beforeEach, describe, expect, it } from 'vitest'
import { news, takeNews } from '../src/data/news.ts'
import {
  advance,
  flightsAt,
  goLive,
  isLive,
  playhead,
  replay,
  seek,
  setPaused,
  setSpeed
} from '../src/data/playback.ts'
import { fetches, flights, holders, machineNow, takeTrace } from '../src/data/traces.ts'
import { layoutOf } from '../src/views/entries/layout.ts'
import { matches } from '../src/views/entries/search.ts'

/** A time so long ago that all of its events are known. */
let start = 0

function trace(node: string, at: number, what: Trace): void {
  takeTrace(node, { at: start + at, trace: what })
}

let count = 0

/** A message with a new name. */
function message(at: number): string {
  const name = `m${count++}`
  const of = { message: name, topic: 'news', bytes: 10 }
  // The receiver's event comes first, as in reality.
  trace('birch', at + 3, { type: 'received', ...of })
  trace('alder', at, { type: 'published', ...of, ms: 1 })
  trace('cedar', at + 5, { type: 'received', ...of })
  return name
}

beforeEach(() => {
  flights.length = 0
  fetches.length = 0
  holders.clear()
  news.value = []
  // The clock of the page follows the newest event.
  takeTrace('alder', { at: performance.now() + 1e6, trace: { type: 'provided', cid: 'c' } })
  start = machineNow() - 60_000
  goLive()
})

describe('a message on its way', () => {
  it('has its publisher, its receivers, and their times, in whatever order they are told', () => {
    message(0)
    expect(flights).toMatchObject([
      {
        published: { node: 'alder', at: start },
        received: [
          { node: 'birch', at: start + 3 },
          { node: 'cedar', at: start + 5 }
        ],
        from: start,
        to: start + 5
      }
    ])
  })

  it('is forgotten when there are too many', () => {
    let last = ''
    for (let i = 0; i < 3_200; i++) last = message(i)
    expect(flights.length).toBeLessThanOrEqual(3_000)
    expect(flights.at(-1)?.message).toBe(last)
  })
})

describe('the time of the picture', () => {
  it('is a hundredth of the real one where that is asked for', () => {
    const name = message(0)
    setSpeed(0.01)
    seek(start)
    advance(100)
    expect(playhead.value).toBeCloseTo(start + 1, 5)
    expect(flightsAt(playhead.value).map((one) => one.message)).toEqual([name])
  })

  it('skips what nobody would wait for: time in which nothing moves', () => {
    message(0)
    message(30_000)
    setSpeed(0.01)
    seek(start + 1_000)
    advance(16)
    expect(playhead.value).toBeGreaterThan(start + 29_999)
    expect(playhead.value).toBeLessThan(start + 30_001)
  })

  it('stands still, and goes live again', () => {
    message(0)
    setPaused(true)
    seek(start + 2)
    advance(500)
    expect(playhead.value).toBe(start + 2)
    expect(isLive.value).toBe(false)
    goLive()
    advance(16)
    expect(playhead.value).toBeGreaterThan(start + 50_000)
  })

  it('goes back to one message, and shows it slowly', () => {
    message(0)
    message(500)
    const [first] = flights
    if (first === undefined) throw new Error('no message')
    replay(first)
    advance(200)
    expect(playhead.value).toBeCloseTo(start + 2, 5)
    expect(flightsAt(playhead.value)).toEqual([first])
  })
})

describe('content on its way', () => {
  it('is wanted, and arrives or fails', () => {
    trace('alder', 0, { type: 'have', cid: 'b', bytes: 5 })
    trace('birch', 1, { type: 'want', cid: 'b', from: ['id of alder'] })
    trace('birch', 9, { type: 'block', cid: 'b', ms: 8, bytes: 5 })
    trace('cedar', 1, { type: 'want', cid: 'b', from: [] })
    trace('cedar', 501, {
      type: 'fault',
      operation: 'blocks.get',
      subject: 'b',
      code: 'TIMEOUT',
      reason: 'nobody gave it'
    })
    expect(fetches).toEqual([
      { cid: 'b', node: 'birch', from: start + 1, asked: ['id of alder'], arrived: { at: start + 9, bytes: 5 } },
      { cid: 'b', node: 'cedar', from: start + 1, asked: [], failed: { at: start + 501, code: 'TIMEOUT' } }
    ])
    expect([...(holders.get('b') ?? [])]).toEqual(['alder', 'birch'])
  })
})

describe('what went wrong', () => {
  const fault = (subject: string): Trace => {
    return { type: 'fault', operation: 'routing.connect', subject, code: 'UNREACHABLE', reason: 'no answer' }
  }

  it('is said once, with how often, however often it happens', () => {
    for (let i = 0; i < 50; i++) takeNews('alder', fault('cedar'))
    takeNews('birch', fault('cedar'))
    takeNews('alder', { type: 'gap', topic: 'news', reason: 'overflow' })
    takeNews('alder', { type: 'retry', operation: 'routing.connect', subject: 'cedar', attempt: 2 })
    expect(news.value.map(({ node, kind, times }) => [node, kind, times])).toEqual([
      ['alder', 'retry', 1],
      ['alder', 'gap', 1],
      ['birch', 'fault', 1],
      ['alder', 'fault', 50]
    ])
    expect(news.value.at(-1)).toMatchObject({
      text: 'Connecting failed (UNREACHABLE):',
      subject: 'cedar',
      detail: 'no answer'
    })
  })
})

function entry(
  cid: string,
  clock: number,
  author: string,
  parents: string[],
  more: Partial<EntryView> = {}
): EntryView {
  const fields = { type: 'transfer', to: 'esi', amount: '7', memo: 'Hire of a drill', sequence: 0, confirmations: 0 }
  return { ...fields, status: 'accepted', cid, clock, author, parents, ...more } as EntryView
}

describe('the graph', () => {
  const all = [
    entry('c', 2, 'birch', ['a', 'b'], { status: 'rejected', reason: 'overdraft' }),
    entry('a', 1, 'alder', [], { confirmations: 2 }),
    entry('d', 2, 'birch', ['a', 'not here']),
    entry('b', 1, 'dov', [])
  ]

  it('has clocks from left to right, a lane for each author, and the nodes first', () => {
    const { entries, lanes, lane, slot, kind, isTip, starts, parents, firstClock, lastClock } = layoutOf(all, ['birch'])
    expect(entries.map(({ cid }) => cid)).toEqual(['a', 'b', 'c', 'd'])
    expect(lanes).toEqual(['birch', 'alder', 'dov'])
    expect([...lane]).toEqual([1, 2, 0, 0])
    expect([...slot]).toEqual([0, 0, 0, 1])
    expect([...kind]).toEqual([1, 0, 2, 0])
    expect([...isTip]).toEqual([0, 0, 1, 1])
    expect([...starts]).toEqual([0, 0, 0, 2, 3])
    expect([...parents]).toEqual([0, 1, 0])
    expect([firstClock, lastClock]).toEqual([1, 2])
  })

  it('is searched by all that people know of an entry', () => {
    const found = (text: string): string[] =>
      all.filter((one) => matches(one, text, (id) => id.toUpperCase())).map(({ cid }) => cid)
    expect(found('')).toHaveLength(4)
    expect(found('drill BIRCH')).toEqual(['c', 'd'])
    expect(found('overdraft')).toEqual(['c'])
    expect(found('nothing of the kind')).toEqual([])
  })
})

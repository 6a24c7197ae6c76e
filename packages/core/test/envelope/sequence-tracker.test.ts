import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { SequenceTracker } from '../../src/envelope/sequence-tracker.ts'

describe('SequenceTracker', () => {
  it('accepts each number once, in any order, and misses exactly what did not come', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: 60 }), { minLength: 1, maxLength: 150 }), (arrivals) => {
        const tracker = new SequenceTracker(arrivals[0] ?? 0, 0)
        const seen = new Set<number>()
        for (const sequence of arrivals) {
          tracker.announce(sequence, 1)
          expect(tracker.accept(sequence)).toBe(!seen.has(sequence))
          seen.add(sequence)
        }
        const missing = tracker.overdue(1).flatMap(({ first, last }) => range(first, last))
        expect(missing).toEqual(range(0, Math.max(...arrivals)).filter((sequence) => !seen.has(sequence)))
        expect(tracker.overdue(Infinity)).toEqual([])
      }),
      { seed: 1 }
    )
  })

  it('neither misses nor refuses what came before the first number of a sender met late', () => {
    const tracker = new SequenceTracker(5)
    tracker.announce(5, 1)
    expect(tracker.accept(5)).toBe(true)
    expect(tracker.overdue(Infinity)).toEqual([])
    expect(tracker.accept(3)).toBe(true)
    expect(tracker.accept(3)).toBe(false)
  })

  it('reports each hole once and takes what arrives after that', () => {
    const tracker = new SequenceTracker(0, 0)
    tracker.announce(4, 10)
    expect(tracker.overdue(9)).toEqual([])
    expect(tracker.overdue(10)).toEqual([{ first: 0, last: 3 }])
    expect(tracker.overdue(20)).toEqual([])
    expect(tracker.accept(2)).toBe(true)
    expect(tracker.accept(2)).toBe(false)
  })

  it('keeps a bounded number of holes and reports what it gives up', () => {
    const tracker = new SequenceTracker(0, 0)
    for (let sequence = 1; sequence < 2_000; sequence += 2) {
      tracker.announce(sequence, 1_000)
      tracker.accept(sequence)
    }
    const given = tracker.overdue(0)
    expect(given.length).toBe(1_000 - 128)
    expect(given[0]).toEqual({ first: 0, last: 0 })
    expect(tracker.accept(0)).toBe(false)
    expect(tracker.overdue(1_000).length).toBe(128)
  })
})

function range(first: number, last: number): number[] {
  return Array.from({ length: last - first + 1 }, (_, i) => first + i)
}

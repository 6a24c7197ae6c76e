import { describe, expect, it } from 'vitest'
import { compare, median } from '../src/harness/statistics.ts'
import { figure, legend, table } from '../src/harness/table.ts'

describe('the median', () => {
  it.each([
    [[3], 3],
    [[9, 1, 5], 5],
    [[4, 1, 3, 2], 2.5],
    [[10, 9, 100], 10]
  ])('of %o is %d', (values, expected) => {
    expect(median(values)).toBe(expected)
  })

  it('does not change what it is given, and refuses nothing', () => {
    const values = [3, 1, 2]
    median(values)
    expect(values).toEqual([3, 1, 2])
    expect(() => median([])).toThrow(RangeError)
  })
})

describe('a comparison', () => {
  it('is over 1 where the subject is better, whichever way that is', () => {
    expect(compare([10, 20, 30], [40, 40, 15], 'higher')).toEqual({
      baseline: 20,
      subject: 40,
      ratio: 2,
      spread: [0.5, 4]
    })
    expect(compare([10, 20, 30], [40, 40, 15], 'lower')).toEqual({
      baseline: 20,
      subject: 40,
      ratio: 0.5,
      spread: [0.25, 2]
    })
  })

  it('refuses runs that were not made in turns', () => {
    expect(() => compare([1], [1, 2], 'higher')).toThrow(RangeError)
  })
})

describe('the table', () => {
  const row = {
    name: 'add',
    title: 'adding',
    unit: 'MiB/s',
    labels: ['bare', 'p2pl'] as const,
    ...compare([100], [80], 'higher'),
    samples: { baseline: [100], subject: [80] },
    cpu: compare([2], [4], 'lower'),
    aim: { ratio: 0.9 },
    met: false,
    notes: ['3 lost']
  }

  it('shows what was measured against what, and whether it suffices', () => {
    const lines = table([row, { ...row, aim: { value: 70 }, met: true, notes: [] }]).split('\n')
    expect(lines[2]).toBe(
      '| add      | MiB/s | 100 (bare) | 80   | 0.8 × | 0.8–0.8  | 0.9 ×    | MISSED | 0.5 ×          |'
    )
    expect(lines[3]).toBe(
      '| add      | MiB/s | 100 (bare) | 80   | 0.8 × | 0.8–0.8  | 70 MiB/s | met    | 0.5 ×          |'
    )
    expect(lines[4]).toBe('add: 3 lost')
    expect(new Set(lines.slice(0, 4).map((line) => line.length)).size).toBe(1)
  })

  it('says what each side does', () => {
    expect(legend([row]).split('\n').at(-1)).toBe('add: adding. bare against p2pl, 1 runs each')
  })

  it('has three digits that count', () => {
    expect([12_345, 1_234.5, 99.96, 1.2345, 0.04567].map(figure)).toEqual(['12,300', '1,230', '100', '1.23', '0.05'])
  })
})

import { describe, expect, it } from 'vitest'
import { compare, median, order, quantile } from '../src/harness/statistics.ts'

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

describe('a quantile', () => {
  it.each([
    [[4, 1, 3, 2], 0.5, 2],
    [[4, 1, 3, 2], 0.99, 4],
    [[7], 0.01, 7],
    [[10, 9, 100], 0.5, 10]
  ])('of %o at %d is %d', (values, share, expected) => {
    expect(quantile(values, share)).toBe(expected)
  })
})

describe('a comparison', () => {
  it('is over 1 where the subject is better, whichever way that is', () => {
    expect(compare([10, 20, 30], [40, 40, 15], 'higher')).toEqual({ ratio: 2, spread: [0.5, 4] })
    expect(compare([10, 20, 30], [40, 40, 15], 'lower')).toEqual({ ratio: 0.5, spread: [0.25, 2] })
  })

  it('refuses runs that were not made in turns', () => {
    expect(() => compare([1], [1, 2], 'higher')).toThrow(RangeError)
  })
})

describe('the order of growth', () => {
  it.each([
    [1, (n: number) => 7 * n],
    [2, (n: number) => 3 * n * n],
    [0, () => 5],
    [0.5, (n: number) => Math.sqrt(n)]
  ])('is %d', (expected, f) => {
    expect(order([10, 100, 1_000].map((n) => [n, f(n)] as const))).toBeCloseTo(expected, 10)
  })
})

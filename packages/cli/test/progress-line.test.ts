import { describe, expect, it } from 'vitest'
import { formatBytes, progressLine, Rate } from '../src/tools/progress-line.ts'

describe('the line of progress', () => {
  const state = {
    label: 'add photo.jpg',
    unit: 'bytes',
    done: 25_000_000,
    total: 100_000_000,
    perSecond: 5_000_000
  } as const

  it.each([200, 80, 60, 40, 20, 10, 1])('fits a terminal of %i columns', (columns) => {
    expect(progressLine(state, columns).length).toBeLessThan(Math.max(11, columns))
  })

  it('says how much is done, how fast, and how long it takes', () => {
    expect(progressLine(state, 80)).toBe(`add photo.jpg ${'█'.repeat(8)}${'░'.repeat(22)}  25 %  5.0 MB/s  0:15 left`)
    expect(progressLine({ ...state, perSecond: 5_000 }, 80)).toContain('4:10:00 left')
    expect(progressLine({ ...state, total: undefined }, 80)).toBe('add photo.jpg 25.0 MB  5.0 MB/s')
    expect(progressLine({ ...state, perSecond: 0 }, 80)).toMatch(/ 25 %$/)
    // More may come than was said.
    expect(progressLine({ ...state, done: 2e8 }, 80)).toMatch(/ 100 % {2}5\.0 MB\/s {2}0:00 left$/)
    expect(progressLine({ label: 'pub', unit: 'items', done: 1_234, perSecond: 100.4 }, 80)).toBe('pub 1,234  100/s')
    expect(progressLine({ label: 'looking', unit: 'items', done: 0, perSecond: 0 }, undefined)).toBe('looking')
  })

  it('takes the rate of the last seconds', () => {
    const rate = new Rate(5_000)
    expect(rate.perSecond).toBe(0)
    for (let second = 0; second <= 10; second++) rate.add(second * 1_000, second * 100)
    expect(rate.perSecond).toBe(100)
    for (let second = 11; second <= 20; second++) rate.add(second * 1_000, 1_000)
    expect(rate.perSecond).toBe(0)
    for (let i = 1; i <= 1_000; i++) rate.add(20_000 + i, 1_000 + i)
    expect(rate.perSecond).toBe(200)
  })

  it('writes amounts in decimal units', () => {
    expect([0, 999, 1_000, 999_949, 999_951, 1.5e9, 7e15].map(formatBytes)).toEqual([
      '0 B',
      '999 B',
      '1.0 kB',
      '999.9 kB',
      '1.0 MB',
      '1.5 GB',
      '7000.0 TB'
    ])
  })
})

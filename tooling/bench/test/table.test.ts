import { describe, expect, it } from 'vitest'
import { historyLine } from '../src/harness/history.ts'
import { figure, growthTable, legend, table } from '../src/harness/table.ts'
import { row } from './rows.ts'

const curve = {
  name: 'growth-x',
  title: 'x',
  measure: 'KiB',
  points: [
    [10, 5],
    [100, 51]
  ],
  order: 1.01
} as const

describe('the table', () => {
  it('shows each side, what p2pl is against it, and whether that suffices', () => {
    const lines = table([row]).split('\n')
    expect(lines.slice(2).map((line) => line.replaceAll(/ +/g, ' '))).toEqual([
      '| add | p2pl | 80 MiB/s | 79–82 | | | 70 MiB/s | met | 4 µs | 120 | 300 | p99 ms 4.56 |',
      '| | bare | 100 MiB/s | 99–101 | 0.8 × | 0.7–0.9 | 0.97 × | MISSED | 4 µs | 120 | | |',
      'add: 3 lost'
    ])
    expect(new Set(lines.slice(0, 4).map((line) => line.length)).size).toBe(1)
  })

  it('says what was measured, how often, and how busy the machine was', () => {
    expect(legend([row]).split('\n').at(-1)).toBe('add: adding. 3 runs each, load 0.5 before')
  })

  it('has three digits that count', () => {
    expect([12_345, 1_234.5, 99.96, 1.2345, 0.04567].map(figure)).toEqual(['12,300', '1,230', '100', '1.23', '0.05'])
  })

  it('shows how figures grow', () => {
    const lines = growthTable([curve, { ...curve, measure: 'ms', points: [[10, 7]], order: 0 }]).split('\n')
    expect(lines.map((line) => line.replaceAll(/ +/g, ' '))).toEqual([
      '| growth | figure | 10 peers | 100 peers | order |',
      expect.stringMatching(/^[|-]+$/),
      '| growth-x | KiB | 5 | 51 | n^1.01 |',
      '| growth-x | ms | 7 | | n^0.00 |'
    ])
  })
})

describe('a line of the history', () => {
  it('has the medians of all sides, and on what they were measured', () => {
    const machine = { node: 'v24', cpus: 2, model: 'x', memory: 24, load: 0.1 }
    const line = historyLine({ date: '2026-11-29T00:00:00.000Z', commit: 'abc', machine, quick: true }, [row], [curve])
    expect(line).not.toContain('\n')
    expect(JSON.parse(line)).toEqual({
      version: 1,
      date: '2026-11-29T00:00:00.000Z',
      commit: 'abc',
      machine,
      quick: true,
      scenarios: [
        {
          name: 'add',
          unit: 'MiB/s',
          load: 0.5,
          sides: [
            { label: 'p2pl', figure: 80, cpu: 0.004, peak: 120, wire: 300 },
            { label: 'bare', figure: 100, cpu: 0.004, peak: 120 }
          ]
        }
      ],
      growth: [
        {
          name: 'growth-x',
          measure: 'KiB',
          points: [
            [10, 5],
            [100, 51]
          ],
          order: 1.01
        }
      ]
    })
  })
})

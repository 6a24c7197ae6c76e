import { describe, expect, it } from 'vitest'
import type { Curve } from '../src/harness/grow.ts'
import { bars, lines } from '../src/harness/plot.ts'
import { LogAxis } from '../src/harness/svg.ts'
import { result, row } from './rows.ts'

interface Element {
  readonly name: string
  readonly attributes: Readonly<Record<string, string>>
  readonly text: string
}

/** Parses like an XML reader: throws if elements are not closed in order. */
function parse(svg: string): Element[] {
  const open: string[] = []
  const elements: Element[] = []
  for (const [, closing, name = '', attributes = '', selfClosing, text = ''] of svg.matchAll(
    /<(\/?)([a-z]+)((?:\s+[a-zA-Z0-9:-]+="[^"<]*")*)\s*(\/?)>([^<]*)/g
  )) {
    if (closing === '/') expect(open.pop()).toBe(name)
    else {
      const pairs = [...attributes.matchAll(/([a-zA-Z0-9:-]+)="([^"]*)"/g)].map(([, key, value]) => [key, value])
      elements.push({ name, attributes: Object.fromEntries(pairs) as Record<string, string>, text })
      if (selfClosing !== '/') open.push(name)
    }
  }
  expect(open).toEqual([])
  // Everything is an element; nothing is left over.
  expect(svg.replaceAll(/<\/?[a-z]+(?:\s+[a-zA-Z0-9:-]+="[^"<]*")*\s*\/?>/g, '')).not.toMatch(/[<>]/)
  return elements
}

describe('a logarithmic axis', () => {
  it('gives each power of ten the same room', () => {
    const axis = new LogAxis([2, 900], 100, 300)
    expect(axis.ticks).toEqual([1, 10, 100, 1_000])
    expect(axis.ticks.map((tick) => axis.at(tick))).toEqual([100, 200, 300, 400])
    expect(axis.at(0)).toBe(100)
  })
})

describe('the bars of a scenario', () => {
  const elements = parse(bars({ ...row, title: 'a < b & "c"' }))
  const rects = elements.filter(({ attributes }) => ['p2pl', 'engine'].includes(attributes['class'] ?? ''))

  it('has one for each side, the longer the higher the figure', () => {
    expect(rects.map(({ attributes }) => attributes['class'])).toEqual(['p2pl', 'engine'])
    const [p2pl, bare] = rects.map(({ attributes }) => Number(attributes['width']))
    expect(bare).toBeGreaterThan(p2pl as number)
    expect(p2pl).toBeGreaterThan(0)
  })

  it('names the sides, their figures and what is measured', () => {
    const texts = elements.map(({ text }) => text.trim())
    expect(texts).toEqual(expect.arrayContaining(['p2pl', 'bare', '80 MiB/s', '100 MiB/s', 'add (MiB/s)']))
    expect(texts).toContain('a &lt; b &amp; &quot;c&quot;')
  })

  it('can be read in a dark scheme, too', () => {
    expect(elements.find(({ name }) => name === 'style')?.text).toContain('prefers-color-scheme: dark')
  })

  it('draws a side whose figure is 0', () => {
    const none = parse(bars({ ...row, results: [result, { ...result, figure: 0, samples: [0, 0] }] }))
    expect(none.every(({ attributes }) => !Object.values(attributes).some((value) => value.includes('NaN')))).toBe(true)
  })
})

describe('the lines of a growth', () => {
  it('go up by their order, with the order in words', () => {
    const curve = (measure: string, order: number): Curve => ({
      name: 'growth-x',
      title: 'x',
      measure,
      points: [10, 100, 1_000].map((n) => [n, n ** order] as const),
      order
    })
    const elements = parse(lines([curve('flat', 0), curve('linear', 1)]))
    const paths = elements
      .filter(({ name }) => name === 'polyline')
      .map(({ attributes }) => attributes['points']!.split(' ').map((point) => point.split(',').map(Number)))
    expect(paths).toHaveLength(2)
    const [flat, linear] = paths.map((path) => path.map(([, y]) => y))
    expect(new Set(flat).size).toBe(1)
    expect(linear).toEqual(linear!.toSorted((a, b) => b! - a!))
    expect(elements.map(({ text }) => text.trim())).toContain('linear: n^1.00, 1,000 at 1,000')
  })
})

import type { Curve } from './grow.ts'
import type { Result, Row } from './run.ts'

/** Three significant digits, with thousands separated. */
export function figure(value: number): string {
  const rounded = Number(value.toPrecision(3))
  const digits = Math.abs(rounded) < 10 ? 2 : Math.abs(rounded) < 100 ? 1 : 0
  return rounded.toLocaleString('en', { maximumFractionDigits: digits })
}

const columns = [
  'scenario',
  'side',
  'figure',
  'runs',
  'p2pl is',
  'of pairs',
  'aim',
  '',
  'CPU',
  'peak MiB',
  'wire B',
  'also'
]

function cells(row: Row, result: Result, isFirst: boolean): string[] {
  const { label, samples, comparison, aim, met, cpu, peak, wire, also } = result
  const range = `${figure(Math.min(...samples))}–${figure(Math.max(...samples))}`
  return [
    isFirst ? row.name : '',
    label,
    `${figure(result.figure)} ${row.unit}`,
    range,
    comparison === undefined ? '' : `${figure(comparison.ratio)} ×`,
    comparison === undefined ? '' : comparison.spread.map(figure).join('–'),
    aim === undefined ? '' : comparison === undefined ? `${figure(aim)} ${row.unit}` : `${figure(aim)} ×`,
    met === undefined ? '' : met ? 'met' : 'MISSED',
    `${figure(cpu * 1_000)} µs`,
    figure(peak),
    wire === undefined ? '' : figure(wire.bytes),
    Object.entries(also)
      .map(([name, value]) => `${name} ${figure(value)}`)
      .join(', ')
  ]
}

/** A Markdown table. */
export function markdown(header: readonly string[], lines: readonly (readonly string[])[]): string {
  const widths = header.map((_, column) => Math.max(...[header, ...lines].map((line) => (line[column] ?? '').length)))
  const render = (line: readonly string[]): string =>
    `| ${line.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join(' | ')} |`
  return [render(header), `|${widths.map((width) => '-'.repeat(width + 2)).join('|')}|`, ...lines.map(render)].join(
    '\n'
  )
}

/** One line for each side of each scenario. */
export function table(rows: readonly Row[]): string {
  const lines = rows.flatMap((row) => row.results.map((result, i) => cells(row, result, i === 0)))
  const notes = rows.flatMap((row) => row.notes.map((note) => `${row.name}: ${note}`))
  return [markdown(columns, lines), ...notes].join('\n')
}

/** The meaning of the columns, and what each scenario measured under which load. */
export function legend(rows: readonly Row[]): string {
  return [
    'All sides run in turns, after one run each that does not count. Figures are medians, "runs" the smallest and the largest; "p2pl is" says how many',
    'times better p2pl is than that side; "of pairs" are the smallest and the largest such ratio of two neighbouring runs. CPU is the processor time of',
    'all processes of the side for one unit of work, "wire" what its loopback carried for one. tooling/bench/README.md says more.',
    '',
    ...rows.map(
      ({ name, title, results, load }) =>
        `${name}: ${title}. ${results[0]?.samples.length} runs each, load ${figure(load)} before`
    )
  ].join('\n')
}

/** One line for each figure that grows with the number of peers. */
export function growthTable(curves: readonly Curve[]): string {
  const peers = [...new Set(curves.flatMap(({ points }) => points.map(([count]) => count)))].toSorted((a, b) => a - b)
  const lines = curves.map(({ name, measure, points, order }) => [
    name,
    measure,
    ...peers.map((count) => {
      const value = points.find(([at]) => at === count)?.[1]
      return value === undefined ? '' : figure(value)
    }),
    `n^${order.toFixed(2)}`
  ])
  return markdown(['growth', 'figure', ...peers.map((count) => `${count.toLocaleString('en')} peers`), 'order'], lines)
}

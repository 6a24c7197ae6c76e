import type { Row } from './run.ts'

/** Three significant digits, thousands apart. */
export function figure(value: number): string {
  const rounded = Number(value.toPrecision(3))
  return rounded.toLocaleString('en', { maximumFractionDigits: rounded < 10 ? 2 : rounded < 100 ? 1 : 0 })
}

function aimText(row: Row): string {
  if (row.aim === undefined) return '–'
  return 'ratio' in row.aim ? `${figure(row.aim.ratio)} ×` : `${figure(row.aim.value)} ${row.unit}`
}

/** Rows under each other, as Markdown. */
export function table(rows: readonly Row[]): string {
  const header = ['scenario', 'unit', 'baseline', 'p2pl', 'ratio', 'of pairs', 'aim', '', 'processor time']
  const lines = rows.map((row) => [
    row.name,
    row.unit,
    `${figure(row.baseline)} (${row.labels[0]})`,
    figure(row.subject),
    `${figure(row.ratio)} ×`,
    `${figure(row.spread[0])}–${figure(row.spread[1])}`,
    aimText(row),
    row.met === undefined ? '' : row.met ? 'met' : 'MISSED',
    `${figure(row.cpu.ratio)} ×`
  ])
  const widths = header.map((_, column) => Math.max(...[header, ...lines].map((line) => (line[column] ?? '').length)))
  const render = (line: readonly string[]): string =>
    `| ${line.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join(' | ')} |`
  const notes = rows.flatMap((row) => row.notes.map((note) => `${row.name}: ${note}`))
  return [
    render(header),
    `|${widths.map((width) => '-'.repeat(width + 2)).join('|')}|`,
    ...lines.map(render),
    ...notes
  ].join('\n')
}

/** What the columns mean, and what each row has measured on which sides. */
export function legend(rows: readonly Row[]): string {
  return [
    'Both sides run in turns, after one run each that does not count. Figures are medians; "ratio" is theirs, over 1 where p2pl is',
    'better; "of pairs" are the smallest and the largest ratio of two neighbouring runs; "processor time" compares what all processes',
    'of a side used for the same work: 2 × means that p2pl needs half as much. tooling/bench/README.md says more.',
    '',
    ...rows.map(
      ({ name, title, samples, labels }) =>
        `${name}: ${title}. ${labels[0]} against ${labels[1]}, ${samples.subject.length} runs each`
    )
  ].join('\n')
}

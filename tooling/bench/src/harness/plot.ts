import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Curve } from './grow.ts'
import type { Row } from './run.ts'
import { document, label, LogAxis, width } from './svg.ts'
import { figure } from './table.ts'

const colours = ['#2563eb', '#d97706', '#059669', '#db2777', '#7c3aed']
/** Space for the names of sides, and for their figures. */
const [left, right] = [170, 160]

/** A bar for each side of a scenario, with the range of its runs. */
export function bars(row: Row): string {
  const [top, step] = [74, 26]
  const bottom = top + row.results.length * step
  // If the axis began at the least value, that value would have no bar.
  const least = Math.min(...row.results.flatMap(({ samples }) => [...samples])) / 2
  const axis = new LogAxis([least, ...row.results.flatMap(({ samples }) => [...samples])], left, width - left - right)
  const grid = axis.ticks.flatMap((tick) => [
    `<line class="grid" x1="${axis.at(tick).toFixed(1)}" x2="${axis.at(tick).toFixed(1)}" y1="${top - 6}" y2="${bottom}"/>`,
    label(
      axis.at(tick),
      bottom + 16,
      tick.toLocaleString('en', { maximumFractionDigits: 6 }),
      'class="small" text-anchor="middle"'
    )
  ])
  const drawn = row.results.flatMap(({ label: name, kind, figure: value, samples }, i) => {
    const y = top + i * step
    const [low, high] = [axis.at(Math.min(...samples)), axis.at(Math.max(...samples))]
    return [
      label(left - 8, y + 14, name, 'text-anchor="end"'),
      `<rect class="${kind}" x="${left}" y="${y}" width="${(axis.at(value) - left).toFixed(1)}" height="${step - 8}"/>`,
      `<line class="range" x1="${low.toFixed(1)}" x2="${high.toFixed(1)}" y1="${y + 9}" y2="${y + 9}"/>`,
      label(Math.max(high, axis.at(value)) + 6, y + 14, `${figure(value)} ${row.unit}`)
    ]
  })
  const better = `${row.better === 'higher' ? 'longer' : 'shorter'} is better, logarithmic; line: smallest and largest run; load ${figure(row.load)}`
  return document(bottom + 28, `${row.name}: ${row.title}`, [
    label(12, 22, `${row.name} (${row.unit})`, 'class="title"'),
    label(12, 38, row.title, 'class="small"'),
    label(12, 52, better, 'class="small"'),
    ...grid,
    ...drawn
  ])
}

/** A line for each figure of a growth, with both axes logarithmic. */
export function lines(curves: readonly Curve[]): string {
  const [top, bottom] = [56, 340]
  const points = curves.flatMap((curve) => [...curve.points])
  const x = new LogAxis(
    points.map(([peers]) => peers),
    70,
    width - 70 - 330
  )
  const y = new LogAxis(
    points.map(([, value]) => value),
    bottom,
    top - bottom
  )
  const grid = [
    ...y.ticks.flatMap((tick) => [
      `<line class="grid" x1="70" x2="${width - 330}" y1="${y.at(tick).toFixed(1)}" y2="${y.at(tick).toFixed(1)}"/>`,
      label(
        64,
        y.at(tick) + 4,
        tick.toLocaleString('en', { maximumFractionDigits: 6 }),
        'class="small" text-anchor="end"'
      )
    ]),
    ...x.ticks.map((tick) =>
      label(x.at(tick), bottom + 18, tick.toLocaleString('en'), 'class="small" text-anchor="middle"')
    )
  ]
  const drawn = curves.flatMap(({ measure, points: of, order }, i) => {
    const colour = colours[i % colours.length] as string
    const path = of.map(([peers, value]) => `${x.at(peers).toFixed(1)},${y.at(value).toFixed(1)}`).join(' ')
    const [peers, value] = of.at(-1) as readonly [number, number]
    return [
      `<polyline class="line" stroke="${colour}" points="${path}"/>`,
      `<circle cx="${x.at(peers).toFixed(1)}" cy="${y.at(value).toFixed(1)}" r="3" fill="${colour}"/>`,
      `<rect x="${width - 316}" y="${top + i * 22 - 10}" width="10" height="10" fill="${colour}"/>`,
      label(width - 300, top + i * 22, `${measure}: n^${order.toFixed(2)}, ${figure(value)} at ${figure(peers)}`)
    ]
  })
  const { name = '', title = '' } = curves[0] ?? {}
  return document(bottom + 40, `${name}: ${title}`, [
    label(12, 22, name, 'class="title"'),
    label(12, 38, title, 'class="small"'),
    ...grid,
    ...drawn,
    label(70, bottom + 34, 'peers; both axes logarithmic', 'class="small"')
  ])
}

/** A file for each scenario and each growth. */
export async function writePlots(folder: string, rows: readonly Row[], curves: readonly Curve[]): Promise<void> {
  await mkdir(folder, { recursive: true })
  for (const row of rows) await writeFile(join(folder, `${row.name}.svg`), bars(row))
  for (const name of new Set(curves.map((curve) => curve.name)))
    await writeFile(join(folder, `${name}.svg`), lines(curves.filter((curve) => curve.name === name)))
}

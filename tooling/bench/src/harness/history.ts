import { appendFileSync } from 'node:fs'
import type { Curve } from './grow.ts'
import type { Machine } from './machine.ts'
import type { Row } from './run.ts'

/** Facts about a run of the command as a whole. */
export interface RunFacts {
  /** ISO 8601, UTC. */
  readonly date: string
  readonly commit: string
  readonly machine: Machine
  readonly quick: boolean
}

/** One line of JSON: the medians of a run, p2pl first; the README documents its fields. */
export function historyLine(facts: RunFacts, rows: readonly Row[], curves: readonly Curve[]): string {
  const scenarios = rows.map(({ name, unit, load, results }) => ({
    name,
    unit,
    load,
    sides: results.map(({ label, figure, cpu, peak, wire }) => ({ label, figure, cpu, peak, wire: wire?.bytes }))
  }))
  const growth = curves.map(({ name, measure, points, order }) => ({ name, measure, points, order }))
  return JSON.stringify({ version: 1, ...facts, scenarios, growth })
}

export function appendHistory(file: string, line: string): void {
  appendFileSync(file, `${line}\n`)
}

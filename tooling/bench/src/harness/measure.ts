import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Growth } from '../growth/growth.ts'
import { type Curve, grow } from './grow.ts'
import type { Options } from './options.ts'
import { type Row, runScenario } from './run.ts'
import type { Scenario } from './scenario.ts'

export interface Measurement {
  readonly rows: readonly Row[]
  readonly curves: readonly Curve[]
  readonly failures: readonly string[]
  readonly minutes: number
}

/** Measures the scenarios in sequence. A failure is reported, and the others continue. */
export async function measureAll(
  scenarios: readonly Scenario[],
  growths: readonly Growth[],
  options: Options
): Promise<Measurement> {
  const folder = await mkdtemp(join(tmpdir(), 'p2pl-bench-'))
  const begin = performance.now()
  const [rows, curves, failures]: [Row[], Curve[], string[]] = [[], [], []]
  const attempt = async (
    { name, title }: { name: string; title: string },
    work: () => Promise<void>
  ): Promise<void> => {
    console.error(`${name}: ${title} …`)
    try {
      await work()
    } catch (error) {
      failures.push(`${name}: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`)
    }
  }
  try {
    for (const scenario of scenarios)
      await attempt(scenario, async () => {
        const row = await runScenario(scenario, { ...options, folder }, options.runs)
        rows.push(row)
        failures.push(...row.failures.map((failure) => `${scenario.name}, ${failure}`))
      })
    for (const growth of growths)
      await attempt(growth, async () => void curves.push(...(await grow(growth, options, options.long))))
  } finally {
    await rm(folder, { recursive: true, force: true, maxRetries: 3 })
  }
  return { rows, curves, failures, minutes: (performance.now() - begin) / 60_000 }
}

import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { availableParallelism, cpus, loadavg, tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { type Row, runScenario } from './harness/run.ts'
import type { Scenario } from './harness/scenario.ts'
import { figure, legend, table } from './harness/table.ts'

const usage = `usage: npm run bench -- [--quick] [--only <name>]… [--runs <n>] [--json] [--profile <folder>] [--list]

  --quick    fewer runs and less of everything
  --only     scenarios whose name starts with this; may be given several times
  --runs     measured runs of each side
  --json     one JSON document on stdout instead of a table
  --profile  CPU profiles of all child processes go to this folder
  --list     names the scenarios`

/** Every file of the folder exports a list of scenarios: adding one is adding a file. */
async function loadScenarios(): Promise<Scenario[]> {
  const folder = new URL('./scenarios/', import.meta.url)
  const names = (await readdir(folder)).filter((name) => name.endsWith('.ts')).toSorted()
  const modules = await Promise.all(
    names.map(async (name) => (await import(new URL(name, folder).href)) as { default: Scenario[] })
  )
  return modules.flatMap((module) => module.default)
}

function options(): ReturnType<typeof parse> | undefined {
  try {
    return parse()
  } catch (error) {
    console.error(`${(error as Error).message}\n\n${usage}`)
    return undefined
  }
}

function parse() {
  const { values } = parseArgs({
    options: {
      quick: { type: 'boolean', default: false },
      only: { type: 'string', multiple: true },
      runs: { type: 'string' },
      json: { type: 'boolean', default: false },
      profile: { type: 'string' },
      list: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false }
    }
  })
  if (values.runs !== undefined && !(Number.isSafeInteger(Number(values.runs)) && Number(values.runs) > 0))
    throw new Error('--runs takes a whole number over 0')
  return values
}

async function main(): Promise<number> {
  const chosen = options()
  if (chosen === undefined) return 2
  if (chosen.help) {
    console.log(usage)
    return 0
  }
  const all = await loadScenarios()
  const only = chosen.only
  const scenarios = only === undefined ? all : all.filter(({ name }) => only.some((start) => name.startsWith(start)))
  if (chosen.list) {
    for (const { name, title, unit } of scenarios) console.log(`${name.padEnd(16)} ${title} (${unit})`)
    return 0
  }
  if (scenarios.length === 0) {
    console.error(`no scenario of that name; there are: ${all.map(({ name }) => name).join(', ')}`)
    return 2
  }
  const folder = await mkdtemp(join(tmpdir(), 'p2pl-bench-'))
  const machine = {
    node: process.version,
    cpus: availableParallelism(),
    model: cpus()[0]?.model ?? 'unknown',
    // Of the last minute, before anything runs here.
    load: loadavg()[0] ?? 0
  }
  const begin = performance.now()
  const rows: Row[] = []
  const failures: string[] = []
  try {
    for (const scenario of scenarios) {
      console.error(`${scenario.name}: ${scenario.title} …`)
      try {
        const context = { quick: chosen.quick, folder, profile: chosen.profile }
        rows.push(await runScenario(scenario, context, chosen.runs === undefined ? undefined : Number(chosen.runs)))
      } catch (error) {
        failures.push(`${scenario.name}: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`)
      }
    }
  } finally {
    await rm(folder, { recursive: true, force: true, maxRetries: 3 })
  }
  const minutes = (performance.now() - begin) / 60_000
  if (chosen.json) console.log(JSON.stringify({ machine, quick: chosen.quick, minutes, rows, failures }, undefined, 2))
  else {
    const { node, cpus: cores, model, load } = machine
    const busy = load > cores / 2 ? ' (busy: trust the processor time, repeat the rest)' : ''
    const run = `${figure(minutes)} minutes${chosen.quick ? ', quick' : ''}`
    console.log(`\nNode ${node}, ${cores} × ${model}, load ${figure(load)} before the start${busy}, ${run}`)
    console.log(`\n${table(rows)}\n\n${legend(rows)}`)
    for (const failure of failures) console.error(`\nFAILED ${failure}`)
  }
  return failures.length > 0 ? 1 : 0
}

process.exitCode = await main()

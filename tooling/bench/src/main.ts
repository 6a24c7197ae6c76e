import { readdir } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { growths } from './growth/growth.ts'
import { appendHistory, historyLine } from './harness/history.ts'
import { installAlternatives } from './harness/install.ts'
import { describeCommit, describeMachine } from './harness/machine.ts'
import { type Options, parse, usage } from './harness/options.ts'
import { measureAll } from './harness/measure.ts'
import { writePlots } from './harness/plot.ts'
import type { Scenario } from './harness/scenario.ts'
import { figure, growthTable, legend, table } from './harness/table.ts'

const history = fileURLToPath(new URL('../history.jsonl', import.meta.url))

/** Each file of the folder exports a list of scenarios: to add one, add a file. */
async function loadScenarios(): Promise<Scenario[]> {
  const folder = new URL('./scenarios/', import.meta.url)
  const names = (await readdir(folder)).filter((name) => name.endsWith('.ts')).toSorted()
  const modules = await Promise.all(
    names.map(async (name) => (await import(new URL(name, folder).href)) as { default: Scenario[] })
  )
  return modules.flatMap((module) => module.default)
}

function options(): Options | undefined {
  try {
    return parse()
  } catch (error) {
    console.error(`${(error as Error).message}\n\n${usage}`)
    return undefined
  }
}

function startsWithOne(text: string, starts: readonly string[]): boolean {
  return starts.some((start) => text.toLowerCase().startsWith(start.toLowerCase()))
}

/** The scenario without the sides that were not requested. */
function narrow(scenario: Scenario, labels: readonly string[]): Scenario {
  const [subject, ...others] = scenario.sides
  return { ...scenario, sides: [subject, ...others.filter(({ label }) => startsWithOne(label, labels))] }
}

async function main(): Promise<number> {
  const chosen = options()
  if (chosen === undefined) return 2
  if (chosen.help) {
    console.log(usage)
    return 0
  }
  if (chosen.alternatives) await installAlternatives()
  const all = await loadScenarios()
  const isChosen = ({ name }: { readonly name: string }): boolean => startsWithOne(name, chosen.only)
  const scenarios = all.filter(isChosen).map((scenario) => narrow(scenario, chosen.side))
  const growing = growths.filter(isChosen)
  if (chosen.list) {
    for (const { name, title, unit } of scenarios) console.log(`${name.padEnd(22)} ${title} (${unit})`)
    for (const { name, title } of growing) console.log(`${name.padEnd(22)} ${title}`)
    return 0
  }
  if (scenarios.length + growing.length === 0) {
    console.error(`no scenario of that name; there are: ${[...all, ...growths].map(({ name }) => name).join(', ')}`)
    return 2
  }
  const facts = {
    date: new Date().toISOString(),
    commit: describeCommit(),
    machine: describeMachine(),
    quick: chosen.quick
  }
  const { rows, curves, failures, minutes } = await measureAll(scenarios, growing, chosen)
  if (chosen.history) appendHistory(history, historyLine(facts, rows, curves))
  if (chosen.plots !== undefined) await writePlots(chosen.plots, rows, curves)
  if (chosen.json) console.log(JSON.stringify({ ...facts, minutes, rows, curves, failures }, undefined, 2))
  else {
    const { node, cpus, model, load } = facts.machine
    const busy = load > cpus / 2 ? ' (busy: trust the processor time, repeat the rest)' : ''
    const run = `${figure(minutes)} minutes${chosen.quick ? ', quick' : ''}`
    console.log(
      `\nNode ${node}, ${cpus} × ${model}, load ${figure(load)} before the start${busy}, commit ${facts.commit}, ${run}`
    )
    if (rows.length > 0) console.log(`\n${table(rows)}\n\n${legend(rows)}`)
    if (curves.length > 0) console.log(`\n${growthTable(curves)}`)
    for (const failure of failures) console.error(`\nFAILED ${failure}`)
  }
  return failures.length > 0 ? 1 : 0
}

// A side that hangs has processes that nobody has closed. They end with this process.
process.exit(await main())
